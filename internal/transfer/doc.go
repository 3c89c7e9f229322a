// Package transfer keeps the folder that crosses the air gap on a memory stick: what one store asks of another, and
// what that one answers.
//
// Start with [Write] and [Read]. The asking store writes a request, the signer reads it, writes an answer beside it,
// and back home the answer is read and held against what was asked by [CheckAnswer]. [Words] makes ten words of a
// manifest's sum, to be read aloud on both sides.
//
// A folder holds
//
//	request.json                                     the manifest of what is asked
//	request-00001-ca-request-0123456789abcdef        an item: side, number, kind, 16 digits of its SHA-256
//	answer.json                                      the manifest of the answers
//	answer-00001-certificates-fedcba9876543210
//
// and nothing else, but for what operating systems leave on every stick, which is not looked at: "System Volume
// Information", ".DS_Store", "._*", ".Spotlight-V100", ".fseventsd", ".Trashes", ".TemporaryItems", ".Trash-*",
// "lost+found", "$RECYCLE.BIN", "Thumbs.db" and "desktop.ini". A manifest has the size and the SHA-256 of each item;
// the names follow from it, so that none comes from foreign text, and each is the same on FAT.
//
// What comes off a stick is hostile: it is read without following links, by those names only, within the limits named
// here, and a manifest that differs in one octet from what [Manifest.Bytes] would write is refused. Nothing of a folder
// is handed out unless all of it is sound. That says that a folder is whole, not who made it: whoever writes to the
// stick can write a sound folder, and only the words, told on another way, tell it from the right one.
//
// The items are on disk before the manifest, so a stick that was pulled out early holds no manifest that lies: reading
// it is an *[UnfinishedError], and writing it again completes it.
//
// Two processes that write one folder take turns by a lock of their own.
package transfer
