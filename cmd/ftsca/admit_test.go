package main_test

import (
	"context"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ftsca/ftsca/internal/testdevice"
)

// cmdAdmits waits until the endpoint lets a device in, and leaves it connected: admits NAME PACKAGE.
func cmdAdmits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: admits NAME PACKAGE")
	}
	w := worldOf(ts)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	pkg, err := testdevice.Open(data)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for ; ; time.Sleep(10 * time.Millisecond) {
		d, err := pkg.Dial(ctx, ts.Getenv("ADDR"))
		if err == nil {
			err = d.Ping(ctx)
		}
		if err == nil {
			if old := w.devices[args[0]]; old != nil {
				old.Close()
			}
			w.devices[args[0]] = d
			return
		}
		if d != nil {
			d.Close()
		}
		if ctx.Err() != nil {
			ts.Fatalf("%s is not let in: %v\n%s", args[0], err, w.logged)
		}
	}
}
