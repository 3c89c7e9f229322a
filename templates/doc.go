// Package templates is the one place of each text that other programs read and that ftsca writes by a form: one
// embedded template, one Render function and one struct for each.
//
// Start with [RenderATAKPreferences] and [RenderManifest], the two XML files of an ATAK data package, and with
// [RenderUnindexedPreferences] for the other clients. No value gets into a text as it is: each is escaped by its type, and
// what the form cannot hold, or the reader would not read back as it was, is refused. [ReadATAKPreferences] and
// [ReadManifest] read these back, and those that other tools wrote; [ReadUnitPreferences] reads what a unit adds of its own.
//
// [RenderQuickConnect] and [RenderImportLink] return the short texts that devices take from a QR code.
package templates
