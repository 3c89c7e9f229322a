// Package durable changes files so that a kill, a full disk or a power failure at any instant leaves the old content or
// the new, whole, and that what was reported as done is still done afterwards.
//
// Start with [WriteFile]. Where a file must not exist yet, as a key, it is [Create]; where others write the same file
// without a lock, [Replace]; where lines are added to a file that only grows, [Append]. [Rename], [Remove] and [Mkdir]
// are those of package os, on disk when they return. Many files at once go through [Stage] and [RenameAll]. [Sweep]
// clears away what killed processes left.
//
// A file comes into being under a hidden name in the folder of its final one, ".NAME.RANDOM.tmp" with ten letters and
// digits in the middle, with its mode from the first instant, and takes its final name when all of it is on disk. So a
// symbolic link of that name gives way to the file. A mode is what was asked for, whatever the umask; Windows knows
// none. When root writes into a folder that belongs to another account, what it makes there belongs to that account and
// its group too: an operator's sudo locks no service out of its own files.
//
// On Windows nothing flushes a folder; the change of a name is written through instead.
package durable
