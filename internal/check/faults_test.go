package check_test

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/check"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
)

// broken is a package with a fault, and by which word each family knows it.
type broken struct {
	name   string
	family check.Family
	level  check.Level
	rule   string
	make   func(p *pki, h *hand) []byte
}

// changed packs what change leaves.
func changed(change func(p *pki, h *hand)) func(*pki, *hand) []byte {
	return func(p *pki, h *hand) []byte {
		change(p, h)
		return pack(p.t, h.items()...)
	}
}

// atak is a fault that a change makes for ATAK.
func atak(name string, level check.Level, rule string, change func(p *pki, h *hand)) broken {
	return broken{name, check.ATAK, level, rule, changed(change)}
}

func as(family check.Family, b broken) broken {
	b.family = family
	return b
}

// flat turns the package into one for iTAK and TAK Aware.
func flat(h *hand) {
	h.prefName, h.trustName, h.idName, h.manifestName = "valley.pref", "ca-7f3a.p12", "alice-7f3a.p12", ""
	h.streams, h.app = stream("true", connect), plainKeys("cert/", "ca-7f3a.p12", "alice-7f3a.p12")
}

func client(change ...testpki.Option) func(p *pki, h *hand) {
	return func(p *pki, h *hand) {
		h.identity = p.identityOf(p.issuing.Client(p.t, "alice", append([]testpki.Option{lasting()}, change...)...))
	}
}

func valid(from, to time.Duration) testpki.Option {
	return testpki.Validity(now.Add(from), now.Add(to))
}

func rewritten(old, new string) func(p *pki, h *hand) {
	return func(p *pki, h *hand) {
		s := prefText(block{streams, h.streams}, block{appName, h.app})
		if !strings.Contains(s, old) {
			p.t.Fatalf("the preferences have no %q", old)
		}
		h.pref = []byte(strings.ReplaceAll(s, old, new))
	}
}

const day = 24 * time.Hour

func faults() []broken {
	const ok, warning, refusal = check.OK, check.Warning, check.Refusal
	set := func(key, to string) func(*pki, *hand) { return func(_ *pki, h *hand) { h.set(key, to) } }
	add := func(v ...value) func(*pki, *hand) {
		return func(_ *pki, h *hand) { h.streams = append(h.streams, v...) }
	}
	file := func(name string, data string) func(*pki, *hand) {
		return func(_ *pki, h *hand) { h.more = append(h.more, item{name, []byte(data)}) }
	}
	manifest := func(old, new string) func(*pki, *hand) {
		return func(_ *pki, h *hand) {
			h.manifest = bytes.ReplaceAll(manifestOf(h.prefName, h.trustName, h.idName), []byte(old), []byte(new))
		}
	}
	second := func(address, caPassword, clientPassword string) func(*pki, *hand) {
		return func(p *pki, h *hand) {
			h.set("count", "2")
			h.streams = append(h.streams, text("description1", "Second"), truth("enabled1", "true"),
				text("connectString1", address),
				text("caLocation1", "cert/ca-2.p12"), text("caPassword1", caPassword),
				text("certificateLocation1", "cert/alice-2.p12"), text("clientPassword1", clientPassword))
			trust, err := sslmate.LegacyDES.WithIterations(1).EncodeTrustStoreEntries(named(p.issuing.Chain()), caPassword)
			if err != nil {
				p.t.Fatal(err)
			}
			h.more = append(h.more, item{"certs/ca-2.p12", trust}, item{"certs/alice-2.p12", p.bundle(sslmate.LegacyDES,
				clientPassword, p.client)})
			h.manifest = manifestOf(h.prefName, h.trustName, h.idName, "certs/ca-2.p12", "certs/alice-2.p12")
		}
	}
	return []broken{
		{"nothing", check.ATAK, refusal, "zip-unreadable", func(*pki, *hand) []byte { return nil }},
		{"no zip", check.ITAK, refusal, "zip-unreadable", func(*pki, *hand) []byte { return []byte("PK but no more") }},
		{"empty", check.ATAK, refusal, "zip-empty", func(p *pki, _ *hand) []byte { return pack(p.t) }},
		{"cut short", check.ATAK, refusal, "zip-unreadable", func(p *pki, h *hand) []byte {
			d := pack(p.t,
				h.items()...)
			return d[:len(d)-30]
		}},
		{"many files", check.ATAK, refusal, "zip-many", func(p *pki, _ *hand) []byte {
			var many []item
			for i := range 1025 {
				many = append(many, item{fmt.Sprint(i), nil})
			}
			return pack(p.t, many...)
		}},
		{"too large", check.ATAK, refusal, "zip-size", func(*pki, *hand) []byte { return make([]byte, 64<<20+1) }},
		{"bomb", check.ATAK, refusal, "zip-bomb", changed(func(_ *pki, h *hand) {
			h.pref = bytes.Repeat([]byte("<"),
				2<<20)
		})},
		{"bomb of packages", check.WinTAK, refusal, "zip-bomb", func(p *pki, _ *hand) []byte {
			return packSame(p.t, make([]byte, 15<<20), "a.zip", "b.zip", "c.zip")
		}},
		{"damaged", check.ATAK, refusal, "zip-damaged", func(p *pki, h *hand) []byte {
			d := packStored(p.t, h.items()...)
			return bytes.Replace(d, []byte("displayServer"), []byte("displayServes"), 1)
		}},
		{"climbing name", check.ATAK, refusal, "zip-path", changed(file("certs/../../../evil.p12", "x"))},
		{"climbing name of Windows", check.ATAK, refusal, "zip-path", changed(file(`..\evil.pref`, "x"))},
		{"absolute name", check.ATAK, refusal, "zip-path", changed(file("/etc/passwd", "x"))},
		{"drive", check.ATAK, refusal, "zip-path", changed(file("C:evil", "x"))},
		{"unseen characters", check.ATAK, refusal, "zip-path", changed(file("a\x1b[2Jb", "x"))},
		{"twice", check.ATAK, refusal, "zip-duplicate", changed(func(_ *pki, h *hand) {
			h.more = append(h.more,
				item{h.idName, []byte("other")})
		})},
		{"link", check.ATAK, refusal, "zip-path", func(p *pki, h *hand) []byte {
			return packHeader(p.t, h, func(f *zip.FileHeader) { f.SetMode(os.ModeSymlink) })
		}},
		{"encrypted zip", check.ATAK, refusal, "zip-encrypted", func(p *pki, h *hand) []byte {
			return packHeader(p.t, h, func(f *zip.FileHeader) { f.Flags |= 1 })
		}},
		{"zstd", check.ATAK, refusal, "zip-method", func(p *pki, h *hand) []byte {
			return packHeader(p.t, h, func(f *zip.FileHeader) { f.Method = 93 })
		}},
		{"backslash in a name", check.ATAK, refusal, "zip-backslash", changed(func(_ *pki,
			h *hand) {
			h.idName = `certs\alice-7f3a.p12`
		})},
		{"three deep", check.WinTAK, refusal, "zip-nested-deep", func(p *pki, h *hand) []byte {
			return pack(p.t, item{"a.zip", pack(p.t, item{"b.zip", pack(p.t, h.items()...)})})
		}},
		{"nested for iTAK", check.ITAK, refusal, "zip-nested", func(p *pki, _ *hand) []byte { return p.ots() }},
		{"folders for iTAK", check.ITAK, refusal, "zip-folders", changed(func(*pki, *hand) {})},
		{"deep folders for TAK Aware", check.TAKAware, refusal, "zip-folders", changed(func(_ *pki,
			h *hand) {
			h.idName = "a/b/alice-7f3a.p12"
		})},
		{"two folders for TAK Aware", check.TAKAware, refusal, "zip-folders", changed(func(_ *pki,
			h *hand) {
			h.idName = "other/alice-7f3a.p12"
		})},

		atak("two manifests", warning, "manifest-twice", file("manifest.xml", "<MissionPackageManifest/>")),
		atak("no manifest", warning, "manifest-none", func(_ *pki, h *hand) { h.manifestName = "" }),
		atak("manifest in upper case", warning, "manifest-case", func(_ *pki,
			h *hand) {
			h.manifestName = "MANIFEST/MANIFEST.xml"
		}),
		atak("manifest at the root", warning, "manifest-place", func(_ *pki,
			h *hand) {
			h.manifestName = "manifest.xml"
		}),
		{"zipped with its folder", check.ATAK, warning, "manifest-base", func(p *pki, h *hand) []byte {
			items := h.items()
			for i := range items {
				items[i].name = "Valley/" + items[i].name
			}
			return pack(p.t, items...)
		}},
		atak("another root element", warning, "manifest-recognised", manifest("MissionPackageManifest", "Manifest")),
		atak("broken manifest", refusal, "manifest-xml", manifest("</Contents>", "")),
		atak("manifest of version 1", warning, "manifest-version", manifest(`version="2"`, `version="1"`)),
		atak("no uid", refusal, "manifest-parameters", manifest(`name="uid"`, `name="id"`)),
		atak("missing file", warning, "manifest-missing", manifest("</Contents>", `<Content ignore="false" `+
			`zipEntry="map.xml"/></Contents>`)),
		atak("unlisted file", warning, "manifest-unlisted", manifest(`zipEntry="certs/alice`, `zipEntry="certs/bob`)),
		atak("unlisted file that is needed", refusal, "file-missing", manifest(`zipEntry="certs/alice`,
			`zipEntry="certs/bob`)),
		atak("ignored file", warning, "manifest-unlisted", manifest(`ignore="false"`, `ignore="true"`)),
		atak("backslashes in the manifest", refusal, "manifest-backslash", manifest("certs/", `certs\`)),

		atak("no preferences", refusal, "pref-none", func(_ *pki, h *hand) { h.prefName = "certs/valley.xml" }),
		atak("a p12 in place of preferences", refusal, "pref-p12", func(_ *pki, h *hand) { h.pref = h.identity }),
		atak("marks beyond 8192 characters", refusal, "pref-recognised", rewritten("<preferences>",
			"<!--"+strings.Repeat("é", 8192)+"--><preferences>")),
		atak("many preferences", warning, "pref-many", func(_ *pki, h *hand) {
			h.manifestName = ""
			for i := range 8 {
				h.more = append(h.more, item{fmt.Sprint(i, ".pref"), nil})
			}
		}),
		atak("text in place of XML", refusal, "pref-xml", func(_ *pki,
			h *hand) {
			h.pref = []byte("caLocation0=cert/ca.p12\n")
		}),
		atak("ampersand in a password", refusal, "pref-xml", rewritten(password, "river&stone;4417")),
		atak("another encoding", refusal, "pref-xml", rewritten("UTF-8", "UTF-16")),
		atak("another root element of preferences", refusal, "pref-xml", rewritten("preferences>", "settings>")),
		atak("class without the word", refusal, "entry-class", rewritten(`"class java.lang.String"`,
			`"java.lang.String"`)),
		atak("wrong class", refusal, "entry-class", rewritten(`"count" class="class java.lang.Integer"`, `"count" `+
			`class="class java.lang.String"`)),
		atak("CDATA", refusal, "entry-text", rewritten(password, "<![CDATA["+password+"]]>")),
		atak("comment in a value", refusal, "entry-text", rewritten(password, "river<!-- -->-stone-4417")),
		atak("blank in a value", warning, "entry-blank", rewritten(">"+connect, ">\n"+connect)),
		atak("key twice", warning, "entry-twice", add(text("connectString0", connect))),
		atak("unknown block", refusal, "key-block", rewritten(`name="cot_streams"`, `name="cot_stream"`)),
		atak("unknown block, and so nothing to connect to", refusal, "no-connection", rewritten(`name="cot_streams"`,
			`name="cot_stream"`)),
		atak("number in the app's block", refusal, "key-block", func(_ *pki, h *hand) {
			h.app,
				h.streams = h.streams[4:], h.streams[:4]
		}),
		atak("no number in the block of connections", refusal, "key-block", rewritten("caLocation0", "caLocation")),

		atak("no count", refusal, "count-missing", set("count", "")),
		atak("count of none", refusal, "count-wrong", set("count", "0")),
		atak("count too low", warning, "count-low", add(text("connectString1", "b.example.org:8089:ssl"))),
		atak("count too high", warning, "count-high", set("count", "2147483647")),
		atak("many connections", warning, "count-many", func(_ *pki, h *hand) {
			h.set("count", "17")
			for i := range 16 {
				h.streams = append(h.streams, text(fmt.Sprint("connectString", i+1),
					fmt.Sprintf("%d.example.org:8089:ssl", i)))
			}
		}),
		atak("number left out", refusal, "connect-missing", func(_ *pki, h *hand) {
			h.set("connectString0", "")
			h.set("count", "2")
			h.streams = append(h.streams, text("connectString1", connect))
		}),
		atak("IPv6", refusal, "connect-ipv6", set("connectString0", "2001:db8::1:8089:ssl")),
		atak("IPv6 in brackets", refusal, "connect-ipv6", set("connectString0", "[2001:db8::1]:8089:ssl")),
		atak("two parts", refusal, "connect-parts", set("connectString0", "tak.example.org:8089")),
		atak("scheme", refusal, "connect-parts", set("connectString0", "ssl://tak.example.org:8089:ssl")),
		atak("no port", refusal, "connect-port", set("connectString0", "tak.example.org::ssl")),
		atak("port too high", refusal, "connect-port", set("connectString0", "tak.example.org:80890:ssl")),
		atak("in clear", warning, "connect-clear", set("connectString0", "tak.example.org:8087:tcp")),
		atak("unknown protocol", refusal, "connect-protocol", set("connectString0", "tak.example.org:8089:tls")),
		atak("quic", warning, "connect-protocol", set("connectString0", "tak.example.org:8090:quic")),
		as(check.WinTAK, atak("quic for WinTAK", refusal, "connect-protocol", set("connectString0",
			"tak.example.org:8090:quic"))),
		atak("no host", refusal, "connect-host", set("connectString0", ":8089:ssl")),
		atak("host to listen at", refusal, "connect-host", set("connectString0", "0.0.0.0:8089:ssl")),
		atak("host of the device", warning, "connect-host", set("connectString0", "127.0.0.1:8089:ssl")),
		atak("host with an underscore", warning, "connect-host", set("connectString0", "tak_server:8089:ssl")),
		atak("no description", warning, "description", set("description0", "")),
		atak("not enabled", warning, "enabled", set("enabled0", "false")),
		atak("connection twice", warning, "connect-twice", second(connect, password, password)),
		atak("passwords of one host", refusal, "password-host", second("tak.example.org:8090:ssl", password,
			"other-stone-4417")),

		atak("keys without numbers", warning, "key-unindexed", func(_ *pki, h *hand) {
			h.app, h.streams = plainKeys("cert/", "ca-7f3a.p12", "alice-7f3a.p12"), h.streams[:4]
		}),
		atak("both styles of keys", refusal, "key-both", func(_ *pki, h *hand) {
			h.app = plainKeys("cert/",
				"ca-7f3a.p12", "alice-7f3a.p12")
		}),
		as(check.TAKAware, atak("numbers for TAK Aware", refusal, "key-indexed", func(*pki, *hand) {})),
		as(check.ITAK, atak("numbers for iTAK", warning, "key-indexed", func(*pki, *hand) {})),
		atak("absolute path", warning, "path-absolute", rewritten("cert/alice", androidPath+"alice")),
		as(check.ITAK, atak("absolute path for iTAK", refusal, "path-absolute", func(_ *pki, h *hand) {
			flat(h)
			h.app = plainKeys(androidPath, "ca-7f3a.p12", "alice-7f3a.p12")
		})),
		atak("slash in front", warning, "path-slash", rewritten("cert/alice", "/cert/alice")),
		atak("wrong folder", refusal, "path-folder", rewritten("cert/alice", "certs/alice")),
		atak("no folder", refusal, "path-folder", rewritten("cert/alice", "alice")),
		atak("backslash in a path", refusal, "path-backslash", rewritten("cert/alice", `cert\alice`)),
		atak("no such file", refusal, "file-missing", rewritten("cert/alice", "cert/bob")),
		as(check.ITAK, atak("no such trust store for iTAK", warning, "file-missing", func(_ *pki, h *hand) {
			flat(h)
			h.app = plainKeys("cert/", "other.p12", "alice-7f3a.p12")
		})),
		atak("other case", warning, "file-case", rewritten("cert/alice", "cert/Alice")),
		atak("other ending", refusal, "p12-ending", func(_ *pki,
			h *hand) {
			h.idName = "certs/alice.pfx"
			h.set("certificateLocation0", "cert/alice.pfx")
		}),
		atak("name with a letter beyond ASCII", warning, "name-characters", func(_ *pki,
			h *hand) {
			h.idName = "certs/zoë.p12"
			h.set("certificateLocation0", "cert/zoë.p12")
		}),
		atak("name with an emoji", refusal, "name-characters", func(_ *pki,
			h *hand) {
			h.idName = "certs/a😀.p12"
			h.set("certificateLocation0", "cert/a😀.p12")
		}),
		atak("name twice", refusal, "name-twice", func(_ *pki, h *hand) {
			h.idName = "client/ca-7f3a.p12"
			h.set("certificateLocation0", "cert/ca-7f3a.p12")
		}),
		as(check.WinTAK, atak("common name", warning, "name-generic", func(_ *pki,
			h *hand) {
			h.trustName = "certs/truststore-root.p12"
		})),
		atak("no trust store", refusal, "trust-none", set("caLocation0", "")),
		atak("no client certificate", warning, "identity-none", set("certificateLocation0", "")),
		as(check.ITAK, atak("no client certificate for iTAK", refusal, "identity-none", set("certificateLocation0",
			""))),
		{"enrollment", check.ATAK, ok, "enrollment", func(p *pki, _ *hand) []byte { return p.goatakEnrollment() }},
		{"enrollment of others", check.WinTAK, warning, "enrollment", func(p *pki,
			_ *hand) []byte {
			return p.goatakEnrollment()
		}},

		atak("no password", refusal, "password-missing", set("clientPassword0", "")),
		atak("default password", warning, "password-known", func(p *pki, h *hand) {
			h.identity = p.bundle(sslmate.LegacyDES, "atakatak", p.client)
			h.set("clientPassword0", "atakatak")
		}),
		atak("wrong password", refusal, "p12-password", set("clientPassword0", "wrong-stone-4417")),
		atak("passwords mixed up", refusal, "p12-password", func(p *pki, h *hand) {
			h.identity = p.bundle(sslmate.LegacyDES, "other-stone-4417", p.client)
			h.set("caPassword0", "other-stone-4417")
		}),
		atak("default password behind another", refusal, "p12-password", func(p *pki,
			h *hand) {
			h.identity = p.bundle(sslmate.LegacyDES, "atakatak", p.client)
		}),
		atak("altered", refusal, "p12-damaged", func(_ *pki, h *hand) {
			h.identity = bytes.Clone(h.identity)
			h.identity[200] ^= 1
		}),
		atak("cut short p12", refusal, "p12-form", func(_ *pki, h *hand) { h.identity = h.identity[:300] }),
		atak("PEM in place of a p12", refusal, "p12-form", func(p *pki,
			h *hand) {
			h.trust = testpki.CertPEM(p.root.Cert)
		}),
		atak("empty p12", refusal, "p12-form", func(_ *pki, h *hand) { h.trust = nil }),
		atak("no MAC", warning, "p12-no-mac", func(p *pki, h *hand) {
			data, err := sslmate.Passwordless.EncodeTrustStoreEntries(named(p.issuing.Chain()), "")
			if err != nil {
				p.t.Fatal(err)
			}
			h.trust = data
		}),
		atak("endless derivation", warning, "p12-rounds", func(p *pki, h *hand) { h.identity = endless(p) }),
		atak("SHA-256 in the MAC alone", warning, "p12-mac", func(p *pki, h *hand) {
			h.identity = read(p.t,
				"testdata/openssl/mac-sha256.p12")
		}),
		atak("key in clear", warning, "p12-clear", func(p *pki, h *hand) {
			h.identity = read(p.t,
				"testdata/openssl/clear.p12")
		}),
		atak("RC2", warning, "p12-rc2", func(p *pki, h *hand) {
			h.trust = p.entries(sslmate.LegacyRC2,
				named(p.issuing.Chain())...)
		}),
		atak("AES", warning, "p12-aes", func(p *pki, h *hand) {
			h.trust = p.entries(sslmate.Modern2023,
				named(p.issuing.Chain())...)
		}),
		as(check.ITAK, atak("PBMAC1", refusal, "p12-pbmac1", func(p *pki,
			h *hand) {
			h.trust = p.entries(sslmate.Modern2026, named(p.issuing.Chain())...)
		})),

		atak("server's key in the trust store", refusal, "trust-key", func(p *pki, h *hand) {
			h.trust = p.bundle(sslmate.LegacyDES, password, p.server, p.issuing.Chain()...)
		}),
		atak("authority's key in the trust store", refusal, "trust-key", func(p *pki, h *hand) {
			h.trust = p.bundle(sslmate.LegacyDES, password, tls.Certificate{PrivateKey: p.issuing.Key, Leaf: p.issuing.Cert}, p.root.Cert)
		}),
		atak("nothing but a key in the trust store", refusal, "trust-empty", func(p *pki,
			h *hand) {
			h.trust = p.bundle(sslmate.LegacyDES, password, p.server)
		}),
		atak("no root", refusal, "trust-incomplete", func(p *pki, h *hand) { h.trust = p.trust(p.issuing.Cert) }),
		atak("no issuing authority", warning, "trust-issuer", func(p *pki, h *hand) { h.trust = p.trust(p.root.Cert) }),
		atak("the server's own certificate", warning, "trust-leaf", func(p *pki, h *hand) {
			h.trust = p.trust(append(p.issuing.Chain(), p.server.Leaf)...)
		}),
		atak("no friendly name", warning, "trust-name", func(p *pki, h *hand) {
			h.trust = p.entries(sslmate.LegacyDES, sslmate.TrustStoreEntry{Cert: p.issuing.Cert},
				sslmate.TrustStoreEntry{Cert: p.root.Cert, FriendlyName: "root"})
		}),
		atak("friendly name twice", warning, "trust-name-twice", func(p *pki, h *hand) {
			h.trust = p.entries(sslmate.LegacyDES, sslmate.TrustStoreEntry{Cert: p.issuing.Cert, FriendlyName: "CA"},
				sslmate.TrustStoreEntry{Cert: p.root.Cert, FriendlyName: "ca"})
		}),
		atak("no mark of Java", ok, "trust-java", func(p *pki, h *hand) { h.trust = opensslTrust(p.t) }),
		atak("crowd of authorities", warning, "trust-many", func(p *pki, h *hand) {
			var crowd []*x509.Certificate
			for i := range 51 {
				crowd = append(crowd, testpki.NewRoot(p.t, fmt.Sprint("Root ", i), lasting()).Cert)
			}
			h.trust = p.trust(crowd...)
		}),
		atak("expired authority", refusal, "trust-expired", func(p *pki, h *hand) {
			h.trust = p.trust(testpki.NewRoot(p.t, "Old", valid(-10*day, -day)).Cert)
		}),
		atak("expired client", refusal, "identity-expired", client(valid(-10*day, -time.Second))),
		atak("client of tomorrow", refusal, "identity-not-yet", client(valid(time.Hour, 10*day))),
		atak("client of today", warning, "identity-clock", client(valid(-time.Hour, 100*day))),
		atak("client of this day", warning, "identity-clock", client(valid(-10*day, time.Hour))),
		atak("client of this month", warning, "identity-expires", client(valid(-10*day, 20*day))),
		atak("authority of this month", warning, "trust-expires", func(p *pki, h *hand) {
			h.trust = p.trust(testpki.NewRoot(p.t, "Old", valid(-10*day, 20*day)).Cert)
		}),
		atak("authority of today", warning, "trust-clock", func(p *pki, h *hand) {
			h.trust = p.trust(testpki.NewRoot(p.t, "New", valid(-time.Hour, 200*day)).Cert)
		}),
		atak("authority of tomorrow", refusal, "trust-not-yet", func(p *pki, h *hand) {
			h.trust = p.trust(testpki.NewRoot(p.t, "New", valid(time.Hour, 200*day)).Cert)
		}),
		atak("short RSA key", warning, "key-size", client(testpki.RSA(1024))),
		atak("EC key", warning, "key-ec", func(*pki, *hand) {}),
		as(check.ITAK, atak("EC key of P-521 for iTAK", refusal, "key-ec", func(p *pki, h *hand) {
			flat(h)
			h.identity = p.identityOf(p.issuing.Client(p.t, "alice", lasting(), testpki.Key(keyOf521(p.t))))
		})),
		atak("Ed25519", refusal, "key-kind", func(p *pki, h *hand) {
			h.trust = p.trust(testpki.NewRoot(p.t, "Edwards", lasting(), testpki.Key(edwards(p.t))).Cert)
		}),
		atak("version 1", warning, "trust-version", func(p *pki, h *hand) { h.trust = p.trust(version1(p)) }),
		atak("SHA-1", warning, "signature",
			client(testpki.Template(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }))),

		atak("trust store as identity", refusal, "identity-no-key", func(_ *pki, h *hand) { h.identity = h.trust }),
		atak("key of another", refusal, "identity-key", func(p *pki, h *hand) {
			h.identity = p.bundle(sslmate.LegacyDES, password, tls.Certificate{PrivateKey: testpki.NewKey(p.t), Leaf: p.client.Leaf})
		}),
		atak("authority as a client", refusal, "identity-ca", func(p *pki, h *hand) {
			h.identity = p.identityOf(tls.Certificate{PrivateKey: p.issuing.Key, Leaf: p.issuing.Cert})
		}),
		atak("client with an authority's key", refusal, "identity-ca", func(p *pki, h *hand) {
			h.identity = p.identityOf(p.issuing.Client(p.t, "alice", lasting(), testpki.Key(p.issuing.Key)))
		}),
		atak("server as a client", refusal, "identity-server", func(p *pki,
			h *hand) {
			h.identity = p.identityOf(p.server)
		}),
		atak("server's usage alone", refusal, "identity-usage", func(p *pki,
			h *hand) {
			h.identity = p.identityOf(p.server)
		}),
		atak("no digital signature", refusal, "identity-key-usage",
			client(testpki.KeyUsage(x509.KeyUsageKeyEncipherment))),
		atak("other certificates beside the client's", warning, "identity-others", func(p *pki, h *hand) {
			h.identity = p.bundle(sslmate.LegacyDES, password, p.client, testpki.NewRoot(p.t, "Elsewhere",
				lasting()).Cert)
		}),
		atak("a file too many", warning, "file-unused", func(p *pki, h *hand) {
			h.more = append(h.more,
				item{"certs/other.p12", p.trust(p.root.Cert)})
		}),
		atak("authority's key in a file too many", refusal, "stray-key", func(p *pki, h *hand) {
			h.more = append(h.more, item{"certs/ca-signing.p12", p.identityOf(tls.Certificate{PrivateKey: p.issuing.Key,
				Leaf: p.issuing.Cert})})
		}),
		atak("key in PEM", refusal, "stray-key", func(p *pki, h *hand) {
			h.more = append(h.more, item{"certs/alice.key", testpki.KeyPEM(p.t, p.client.PrivateKey)})
		}),
		atak("a thousand faults", refusal, "too-much", func(_ *pki, h *hand) {
			for i := range 300 {
				h.app = append(h.app, value{fmt.Sprint("key", i), "String", "x"})
			}
		}),
	}
}

// TestEachFaultIsKnownByName keeps the words of the findings in a golden file.
func TestEachFaultIsKnownByName(t *testing.T) {
	p := newPKI(t)
	var words strings.Builder
	for _, b := range faults() {
		t.Run(b.name, func(t *testing.T) {
			p.t = t
			found := false
			r := look(t, b.make(p, p.byHand()), b.family)
			for _, f := range r.Verdicts[0].Findings {
				if f.Rule == b.rule && f.Level == b.level {
					if !found {
						fmt.Fprintf(&words, "%s, %s, %s: %s\n\t%s\n", b.name, b.family, f.Level, f.Rule, f.Text)
					}
					found = true
				}
			}
			if !found {
				t.Errorf("no %s of %s in\n%s", b.level, b.rule, lines(r))
			}
			if s := lines(r); strings.Contains(s, "-stone-4417") || strings.Contains(s, "stone;4417") {
				t.Errorf("a password stands in\n%s", s)
			}
		})
	}
	golden(t, "faults.txt", words.String())
}

// The package that every fault starts from has none of them for ATAK, but for the kind of its keys.
func TestThePackageByHandIsFaultless(t *testing.T) {
	p := newPKI(t)
	h := p.byHand()
	for _, f := range look(t, pack(t, h.items()...), check.ATAK).Verdicts[0].Findings {
		if f.Level != check.OK && f.Rule != "key-ec" {
			t.Errorf("%+v", f)
		}
	}
	flat(h)
	for _, v := range look(t, pack(t, h.items()...), check.ITAK, check.TAKAware).Verdicts {
		for _, f := range v.Findings {
			if f.Level != check.OK && f.Rule != "key-ec" {
				t.Errorf("%+v", f)
			}
		}
	}
}

func TestAPasswordThatTheUserHasOpensWhatThePreferencesDoNot(t *testing.T) {
	p := newPKI(t)
	h := p.byHand()
	h.set("caPassword0", "")
	h.set("clientPassword0", "")
	data := pack(t, h.items()...)
	for _, test := range []struct {
		given string
		open  bool
	}{{"", false}, {password, true}} {
		r, err := check.Package(data, check.Options{Families: []check.Family{check.WinTAK}, Now: now, Password: secret.FromString(test.given)})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.Verdicts[0].Connections; len(c) != 1 || c[0].Certificate != nil != test.open || len(c[0].Authorities) > 0 != test.open {
			t.Errorf("given %q, the connections are %+v", test.given, c)
		}
		if r.Level() != check.Warning {
			t.Errorf("given %q, the level is %s", test.given, r.Level())
		}
	}
}

// Each rule of the source is the fault of some test, so that none can be lost.
func TestEachRuleHasAFault(t *testing.T) {
	tested := map[string]bool{}
	for _, b := range faults() {
		tested[b.rule] = true
	}
	for _, rule := range rules(t) {
		if !tested[rule] {
			t.Errorf("no test has the fault %s", rule)
		}
	}
}

// rules reads the words for rules out of the source: the second argument of say and fault.
func rules(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || name.Sel.Name != "say" && name.Sel.Name != "fault" {
				return true
			}
			switch rule := call.Args[1].(type) {
			case *ast.BasicLit:
				found = append(found, strings.Trim(rule.Value, `"`))
			case *ast.BinaryExpr:
				ending := strings.Trim(rule.Y.(*ast.BasicLit).Value, `"`)
				found = append(found, "trust"+ending, "identity"+ending)
			}
			return true
		})
	}
	if len(found) < 80 {
		t.Fatalf("only %d rules were found", len(found))
	}
	return found
}
