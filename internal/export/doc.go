// Package export puts the store's material into folders of other servers, in the form that those load.
//
// Start with [FTS], the form of a FreeTAKServer, whose Files names what its folder has to hold. [Export.Publish]
// brings a folder to that: what is up to date stays, what another hand wrote there is kept beside, and all that is new is
// on disk before the first old file gives way. [Registry] remembers which folders there are, which of them follow the
// store, and what was last written to each, so that [Export.Check] tells whether one is up to date.
//
// Nothing in a folder is followed through a symbolic link: it may belong to a service's account, and root writes there.
package export
