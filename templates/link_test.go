package templates_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/templates"
)

func TestQuickConnectHasFourFields(t *testing.T) {
	base := templates.QuickConnect{Description: "Valley", Host: "fts.example.org", Port: 8089, Protocol: "ssl"}
	with := func(change func(*templates.QuickConnect)) templates.QuickConnect {
		c := base
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name      string
		c         templates.QuickConnect
		want, err string
	}{
		{"usual", base, "Valley,fts.example.org,8089,ssl", ""},
		{"any script", with(func(c *templates.QuickConnect) { c.Description = "Zürich 山田 & <co>" }), "Zürich 山田 & <co>,fts.example.org,8089,ssl", ""},
		{"tcp", with(func(c *templates.QuickConnect) { c.Host, c.Protocol = "10.0.0.5", "tcp" }), "Valley,10.0.0.5,8089,tcp", ""},
		{"comma", with(func(c *templates.QuickConnect) { c.Description = "Valley, east" }), "",
			`quick connect: description "Valley, east": ',' would end it, since its fields stand between commas and know no quotes`},
		{"quote", with(func(c *templates.QuickConnect) { c.Description = `"Valley` }), "",
			`quick connect: description "\"Valley": '"' would end it, since its fields stand between commas and know no quotes`},
		{"newline", with(func(c *templates.QuickConnect) { c.Description = "a\nb" }), "",
			`quick connect: description "a\nb": '\n' would end it, since its fields stand between commas and know no quotes`},
		{"no description", with(func(c *templates.QuickConnect) { c.Description = "" }), "", `quick connect: description is empty`},
		{"host with a comma", with(func(c *templates.QuickConnect) { c.Host = "a,b" }), "", `quick connect: host "a,b" is no DNS name and no IPv4 address`},
		{"no port", with(func(c *templates.QuickConnect) { c.Port = 0 }), "", `quick connect: port 0 is not in 1 to 65535`},
		{"protocol", with(func(c *templates.QuickConnect) { c.Protocol = "SSL" }), "", `quick connect: protocol "SSL" is neither ssl nor tcp`},
	} {
		got, err := templates.RenderQuickConnect(tt.c)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: got %q, %v\nwant %q, %s", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestAnImportLinkCarriesAnAddress(t *testing.T) {
	for _, tt := range []struct{ address, want, err string }{
		{"https://h.example.org/a.zip", "tak://com.atakmap.app/import?url=https%3A%2F%2Fh.example.org%2Fa.zip", ""},
		{"https://h.example.org:8443/Marti/sync/content?hash=ab+c&x=1%202", "tak://com.atakmap.app/import?url=https%3A%2F%2Fh.example.org%3A8443%2FMarti%2Fsync%2Fcontent%3Fhash%3Dab%2Bc%26x%3D1%25202", ""},
		{"http://10.0.0.5/山.zip", "tak://com.atakmap.app/import?url=http%3A%2F%2F10.0.0.5%2F%E5%B1%B1.zip", ""},
		{"https://h.example.org/a b.zip", "", `import link to "https://h.example.org/a b.zip": an address has no blanks and no control characters; write %20 for a blank`},
		{"ftp://h.example.org/a.zip", "", `import link to "ftp://h.example.org/a.zip": give one that begins with https://`},
		{"h.example.org/a.zip", "", `import link to "h.example.org/a.zip": give one that begins with https://`},
		{"https:///a.zip", "", `import link to "https:///a.zip": it names no server`},
		{"https://h:x/a.zip", "", `import link to "https://h:x/a.zip": it is no address`},
		{"https://alice:hidden@h.example.org/a.zip", "", `import link: the address has a user's name in it, which would be on every device: take it out`},
		{"https://h.example.org/a.zip#b", "", `import link to "https://h.example.org/a.zip#b": what follows # is not sent to a server`},
	} {
		got, err := templates.RenderImportLink(tt.address)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: got %q, %v\nwant %q, %s", tt.address, got, err, tt.want, tt.err)
		}
	}
}

// Whatever is taken is read back by the rules of each reader.
func FuzzLinks(f *testing.F) {
	f.Add("Valley", "fts.example.org", "https://h.example.org/a.zip?x=%2B+&y")
	f.Add("a,b", "a:b", "http://[::1]:80/%zz")
	f.Fuzz(func(t *testing.T, description, host, address string) {
		if text, err := templates.RenderQuickConnect(templates.QuickConnect{Description: description, Host: host, Port: 8089, Protocol: "ssl"}); err == nil {
			fields := strings.Split(text, ",")
			if len(fields) != 4 || fields[0] != description || fields[1] != host || fields[2] != "8089" || fields[3] != "ssl" {
				t.Errorf("%q", fields)
			}
		}
		if link, err := templates.RenderImportLink(address); err == nil {
			u, err := url.Parse(link)
			if err != nil || u.Scheme != "tak" || u.Host != "com.atakmap.app" || u.Path != "/import" || u.Query().Get("url") != address || len(u.Query()) != 1 {
				t.Errorf("%q becomes %q, %v", address, link, err)
			}
		}
	})
}
