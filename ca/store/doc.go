// Package store keeps an authority on disk: a folder of two rooms and a desk.
//
// Start with [Create], which founds a store and is the only way to a new one, and [Open], which opens one. A [Store] is
// the authority's [ca.Ledger]: certificates and the files that go with them appear in it together or not at all,
// whatever kills the process. [Store.Revoke] and [Store.SignCRL] keep the revocation list.
//
// authority/ is the authority's room: its key, its ledger, every certificate it issued. endpoint/ holds all that a CoT
// endpoint needs, and may be carried alone to another machine. clientPackages/ holds packages, each with a client's
// key. A store without authority/ lists, revokes and serves, and issues nothing.
//
// All that is written is guarded by one lock; it is held briefly, and dies with its process.
package store
