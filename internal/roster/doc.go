// Package roster makes many clients from one file: it checks the whole file first, plans, and runs the plan on all cores.
//
// Start with [NewPlan], which reads the file and tells every fault in it at once, or what is still to be issued and what
// an earlier run issued already. A [Runner] issues the rest, and [Sheet] says what became of each row.
//
// A roster is UTF-8 text, with or without a byte order mark, in one of two forms that are told apart by how they begin.
//
// CSV (RFC 4180) has a row of headings first and separates cells by comma, semicolon or tab, whichever the headings do:
//
//	name;groups;contact
//	alice;blue|medics;alice@example.org
//	bob;blue;
//
// JSON is an array of objects with the same names:
//
//	[{"name": "alice", "groups": ["blue", "medics"], "contact": "alice@example.org"}]
//
// The columns, in any order and any case, are name (or callsign), host (hosts, server), family (families, device, device family),
// groups (group), contact (e-mail, email), days and key. Only name is required: an empty or missing cell, or a null,
// takes the value that is given for all rows. A family is atak, wintak, itak, takaware, several of them, or all. Any other column is refused, since nobody would see that it did nothing.
//
// Blanks at the edges of a cell do not count. Several groups, families or hosts in a cell are separated by '|', ';', ',' or a new
// line, and hosts by blanks too. Groups are not, as "Dark Blue" is one group and not two that its members were never
// meant to be in. So no group's name has such a separator in it, in JSON either.
package roster
