package templates

import (
	"fmt"
	"path"
	"strings"
	"unicode"
)

// FTSPaths is where a FreeTAKServer 2.2.1 finds its certificates, keys and lists.
type FTSPaths struct {
	Folder  string // absolute; with the usual names in it
	CRLFile string // name in Folder of the signed revocation list, for FTS_CRLDIR
}

// RenderFTSConfig returns the lines for FTSConfig.yaml.
func RenderFTSConfig(p FTSPaths) ([]byte, error) { return p.render("fts.yaml.tmpl") }

// RenderFTSEnvironment returns the lines for the environment, as a shell, systemd's EnvironmentFile and docker's env files
// with plain paths read them. FreeTAKServer lets them win over FTSConfig.yaml.
func RenderFTSEnvironment(p FTSPaths) ([]byte, error) { return p.render("fts.env.tmpl") }

// ftsLine gives one variable its path.
type ftsLine struct {
	Name string
	path string
}

// YAML is the path as a double-quoted scalar (YAML 1.2, 7.3.1).
func (l ftsLine) YAML() string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(l.path) + `"`
}

// Shell is the path as it is where it needs no quotes, else in single ones.
func (l ftsLine) Shell() string {
	plain := func(r rune) bool { return strings.ContainsRune(fileCharacters+"/", r) }
	if strings.TrimFunc(l.path, plain) == "" {
		return l.path
	}
	return `'` + strings.ReplaceAll(l.path, `'`, `'\''`) + `'`
}

func (p FTSPaths) render(form string) ([]byte, error) {
	for _, r := range p.Folder + p.CRLFile {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return nil, fmt.Errorf("the folder %q has a character that no configuration file can hold", p.Folder)
		}
	}
	at := func(name, file string) ftsLine { return ftsLine{name, path.Join(p.Folder, file)} }
	return render(form, struct{ Folders, Files []ftsLine }{
		[]ftsLine{at("FTS_CERTS_PATH", ""), at("FTS_CLIENT_PACKAGES_PATH", "clientPackages")},
		[]ftsLine{
			at("FTS_CADIR", "ca.pem"),
			at("FTS_CAKEYDIR", "ca.key"),
			at("FTS_CRLDIR", p.CRLFile),
			at("FTS_SERVER_PEMDIR", "server.pem"),
			at("FTS_SERVER_KEYDIR", "server.key"),
			at("FTS_UNENCRYPTED_KEYDIR", "server.key.unencrypted"),
			at("FTS_SERVER_P12DIR", "server.p12"),
			at("FTS_FEDERATION_CERTDIR", "server.pem"),
			at("FTS_FEDERATION_KEYDIR", "server.key"),
		},
	})
}
