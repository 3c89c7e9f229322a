package endpoint

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUIDIsTheFirstOnesThatClaimsIt(t *testing.T) {
	b := newBindings(room{maxBindings, maxBindingBytes}, room{nameBindings, nameBindingBytes})
	now := time.Now()
	want := func(holder, uid, name string, itself bool) {
		t.Helper()
		if got := b.claim(uid, name, itself, now); got != holder {
			t.Errorf("%s, spoken of by %s, is %q's, want %q", uid, name, got, holder)
		}
	}
	want("", "ANDROID-1", "gateway", false) // who speaks of others claims nothing
	want("alice", "ANDROID-1", "alice", true)
	want("alice", "ANDROID-1", "mallory", true)
	want("alice", "ANDROID-1", "gateway", false)
	want("alice", "ANDROID-2", "alice", true) // a name may have several devices

	now = now.Add(absence - time.Second)
	want("alice", "ANDROID-1", "alice", true)
	now = now.Add(2 * time.Second)
	want("bob", "ANDROID-2", "bob", true) // a day's absence
	want("alice", "ANDROID-1", "bob", true)
	now = now.Add(absence)
	want("", "ANDROID-1", "gateway", false)

	want("alice", "ANDROID-1", "alice", true)
	if !b.release("ANDROID-1") || b.release("ANDROID-1") {
		t.Error("a uid is released once")
	}
	want("bob", "ANDROID-1", "bob", true)
	want("bob", "ANDROID-3", "bob", true)
	b.releaseName("bob")
	b.releaseName("nobody")
	if b.len() != 0 || len(b.names) != 0 || len(b.byUID) != 0 {
		t.Errorf("%d are still bound: %v, %v", b.len(), b.byUID, b.names)
	}
}

func TestBindingsAreBoundedAndNobodyPushesOutOthers(t *testing.T) {
	b := newBindings(room{maxBindings, maxBindingBytes}, room{nameBindings, nameBindingBytes})
	now := time.Now()
	b.claim("alice's", "alice", true, now)
	for n := range 3 * nameBindings {
		b.claim(fmt.Sprint("m-", n), "mallory", true, now)
	}
	if b.len() != 1+nameBindings || b.claim("alice's", "mallory", true, now) != "alice" {
		t.Errorf("%d are bound, and alice's is %q's", b.len(), b.claim("alice's", "mallory", true, now))
	}
	// What a name goes on claiming stays, and what it claimed longest ago goes.
	if b.claim("m-0", "bob", true, now) != "bob" || b.claim(fmt.Sprint("m-", 3*nameBindings-1), "bob", true, now) != "mallory" {
		t.Error("another one than the oldest has gone")
	}
	for n := range maxBindings + 10 {
		b.claim(fmt.Sprint("x-", n), fmt.Sprint("name-", n/900), true, now)
	}
	if b.len() != maxBindings {
		t.Errorf("%d are bound, want %d", b.len(), maxBindings)
	}
}

// A uid of some length takes the place of several.
func TestBindingsAreBoundedInBytesToo(t *testing.T) {
	b := newBindings(room{maxBindings, maxBindingBytes}, room{nameBindings, nameBindingBytes})
	now := time.Now()
	long := strings.Repeat("x", longestUID-10)
	b.claim("alice's", "alice", true, now)
	for n := range nameBindings {
		b.claim(fmt.Sprint(n, "-", long), "mallory", true, now)
	}
	if held := nameBindingBytes / (longestUID + itemOverhead); b.len() < held || b.len() > held+10 {
		t.Errorf("%d are bound, want some %d", b.len(), held)
	}
	for n := range maxBindings {
		b.claim(fmt.Sprint(n, "-", long), fmt.Sprint("name-", n/100), true, now)
	}
	if held := maxBindingBytes / (longestUID + itemOverhead); b.used.bytes > maxBindingBytes || b.len() < held || b.len() > held+500 {
		t.Errorf("%d are bound, and take %d bytes", b.len(), b.used.bytes)
	}
	for n := range maxBindings {
		b.releaseName(fmt.Sprint("name-", n))
	}
	b.releaseName("mallory")
	b.releaseName("alice")
	if b.used != (room{}) {
		t.Errorf("%v remains", b.used)
	}
}

func TestClaimingAgainAllocatesNothing(t *testing.T) {
	b := newBindings(room{maxBindings, maxBindingBytes}, room{nameBindings, nameBindingBytes})
	now := time.Now()
	b.claim("uid", "alice", true, now)
	if got := testing.AllocsPerRun(100, func() { b.claim("uid", "alice", true, now); b.claim("uid", "bob", true, now) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
