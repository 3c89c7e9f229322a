// Package groups reads groups.yaml, by which an operator says who is in which group without a new certificate for
// anybody. It knows no file and no endpoint: [Parse] takes the text, and returns the groups of each name.
//
// Of YAML it takes what such a file needs, and refuses the rest, since what nobody reads the same way should decide about
// nobody: no aliases, merge keys, tags, further documents, or names that go on in the next line.
package groups
