package control_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/ftsca/ftsca/internal/control"
)

// Whatever comes is refused with a code, or says the same when it is written anew.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"verb":"status"}`,
		`{"version":1,"verb":"kick","arguments":{"name":"bob"}}`,
		`{"version":1,"verb":"kick","arguments":{"name":"\u0000\ud800"},"later":[1,{}]}`,
		`{"version":1,"version":2,"verb":null}`, `null`, ``, `[`, `{"version":1e0,"verb":""}`, "{\"verb\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := control.ParseRequest(line)
		if err != nil {
			var refused *control.Error
			if !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		var kick control.Kick
		_ = r.Decode(&kick)
		first, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(first) > control.MaxRequest {
			return
		}
		again, err := control.ParseRequest(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		second, err := json.Marshal(again)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%s, then %s, %v", first, second, err)
		}
	})
}
