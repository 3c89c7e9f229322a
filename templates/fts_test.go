package templates_test

import (
	"strings"
	"testing"

	"github.com/ftsca/ftsca/templates"
)

func TestFTSLines(t *testing.T) {
	p := templates.FTSPaths{Folder: `/srv/team "b" \ it's`, CRLFile: "FTS_CRL.pem"}
	config, err := templates.RenderFTSConfig(p)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fts.yaml", config)
	env, err := templates.RenderFTSEnvironment(p)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fts.env", env)
	env, err = templates.RenderFTSEnvironment(templates.FTSPaths{Folder: "/opt/fts/certs", CRLFile: "FTS_CRL.json"})
	if err != nil || !strings.Contains(string(env), "\nFTS_CRLDIR=/opt/fts/certs/FTS_CRL.json\n") {
		t.Errorf("a plain path needs no quotes: %s, %v", env, err)
	}
	if _, err := templates.RenderFTSConfig(templates.FTSPaths{Folder: "/srv/a\nb"}); err == nil ||
		err.Error() != `the folder "/srv/a\nb" has a character that no configuration file can hold` {
		t.Errorf("got %v", err)
	}
}
