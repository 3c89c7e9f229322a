package check

import (
	"path"
	"strconv"
	"strings"
)

// reference is a file that the preferences name, with the password that they have for it.
type reference struct {
	key, location       string // the key under which the location stands; "" where none does
	passwordKey, secret string
	where               string
}

// certificates opens what the preferences name for a connection.
func (d *device) certificates(p *preferences, i int, c *Connection) {
	index := strconv.Itoa(i)
	enroll, _ := p.get(streams, "enrollForCertificateWithTrust"+index)
	if c.Protocol == "tcp" {
		return
	}
	trust := d.resolve(p, index, "caLocation", "caPassword")
	if trust.key == "" {
		d.say(all(Refusal), "trust-none", p.where, "no trust store is named for connection %s (caLocation%s): the "+
			"device cannot tell the server from another", index, d.suffix(index))
	} else {
		d.well("trust-store", func() (where, text string) { return d.trustStore(trust, c) })
	}
	identity := d.resolve(p, index, "certificateLocation", "clientPassword")
	d.secrets = append(d.secrets, hostSecrets{c.Host, trust.secret, identity.secret, p.where})
	switch {
	case identity.key != "":
		d.well("identity", func() (where, text string) { return d.identity(identity, c) })
	case enroll == "true":
		d.say(levels{OK, Warning, Warning, Warning}, "enrollment", p.where, "connection %s has no client "+
			"certificate, and the device asks its user for a name and password to fetch one", index)
	default:
		d.say(levels{Warning, Refusal, Refusal, Refusal}, "identity-none", p.where, "no client certificate is named "+
			"for connection %s (certificateLocation%s): ATAK asks its user for a file", index, d.suffix(index))
	}
}

// suffix is what the family's keys for certificates end with.
func (d *device) suffix(index string) string {
	if d.family == ATAK {
		return index
	}
	return ""
}

// resolve finds the key that the family reads for a connection, and what the other style of keys does to it. A key that
// it does not read is followed all the same where there is no other, so that the files behind it are judged too.
func (d *device) resolve(p *preferences, index, location, password string) reference {
	indexed, hasIndexed := p.get(streams, location+index)
	plain, hasPlain := p.get(app, location)
	if _, ok := p.get(app, location+index); ok && !hasIndexed {
		d.say(levels{Refusal, Warning, Warning, Warning}, "key-block", p.where, "%s stands in "+
			"com.atakmap.app_preferences: with a number, it belongs in cot_streams", location+index)
	}
	if _, ok := p.get(streams, location); ok && !hasPlain {
		d.say(all(Refusal), "key-block", p.where, "%s stands in cot_streams: without a number, it belongs in "+
			"com.atakmap.app_preferences", location)
	}
	withIndex := reference{location + index, indexed, password + index, "", p.where}
	withIndex.secret, _ = p.get(streams, password+index)
	without := reference{location, plain, password, "", p.where}
	without.secret, _ = p.get(app, password)
	switch {
	case hasIndexed && hasPlain:
		d.bothStyles(p, withIndex, without)
	case hasPlain:
		d.say(levels{Warning, "", "", ""}, "key-unindexed", p.where, "%s has no number: ATAK ties it to no server, "+
			"or to the first new one alone, and some versions ask for it again after a restart; "+
			"write %s in cot_streams", location, location+index)
	case hasIndexed:
		d.indexedOnly(p, location, index)
	}
	switch {
	case d.family == ATAK && hasIndexed, !hasPlain && hasIndexed:
		return withIndex
	case hasPlain:
		return without
	}
	return reference{where: p.where}
}

func (d *device) bothStyles(p *preferences, indexed, plain reference) {
	if path.Base(strings.ReplaceAll(indexed.location, `\`, "/")) == path.Base(strings.ReplaceAll(plain.location, `\`,
		"/")) {
		d.say(levels{Refusal, "", "", ""}, "key-both", p.where, "%s and %s name the same file: ATAK follows the one "+
			"without a number first, deletes the file once it has it, and then finds none for the connection; leave "+
			"%s out",
			plain.key, indexed.key, plain.key)
		return
	}
	d.say(levels{Warning, "", "", ""}, "key-unindexed", p.where, "%s stands beside %s: ATAK keeps it for no server, "+
		"or for the first new one", plain.key, indexed.key)
}

func (d *device) indexedOnly(p *preferences, location, index string) {
	// TAK Aware takes a trust store's key with any ending.
	l := levels{"", Warning, Warning, Refusal}
	if location == "caLocation" {
		l = levels{"", Warning, Warning, ""}
	}
	d.say(l, "key-indexed", p.where, "%s has a number, and only ATAK is known to read it: write %s in "+
		"com.atakmap.app_preferences", location+index, location)
}
