package crl_test

import (
	"math/big"
	"testing"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"github.com/ftsca/ftsca/crl"
)

// zlint judges what Sign writes by RFC 5280.
func TestZlintFindsNothingWrong(t *testing.T) {
	rfc, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{lint.RFC5280, lint.RFC5480, lint.RFC8813}})
	if err != nil {
		t.Fatal(err)
	}
	for name, ca := range issuers(t) {
		for kind, entries := range map[string][]crl.Entry{
			"empty": nil,
			"with every reason": func() (all []crl.Entry) {
				for i, r := range crl.Reasons() {
					all = append(all, crl.Entry{Serial: crl.SerialOf(big.NewInt(int64(1000 - i))), Reason: r, Date: time.Now().AddDate(0, 0, -i)})
				}
				return all
			}(),
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				this := time.Now().Add(-24 * time.Hour)
				der, err := crl.Sign(crl.Template{Entries: entries, Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: this, NextUpdate: this.AddDate(1, 0, 1)}, ca.Cert, ca.Key)
				if err != nil {
					t.Fatal(err)
				}
				list, err := zx509.ParseRevocationList(der)
				if err != nil {
					t.Fatal(err)
				}
				results := zlint.LintRevocationListEx(list, rfc).Results
				judged := 0
				for lintName, r := range results {
					switch r.Status {
					case lint.Pass:
						judged++
					case lint.NA, lint.NE:
					default:
						t.Errorf("%s: %s %s", lintName, r.Status, r.Details)
					}
				}
				t.Logf("%d lints had a say", judged)
				if judged < 3 {
					t.Errorf("only %d lints had a say: %v", judged, results)
				}
			})
		}
	}
}
