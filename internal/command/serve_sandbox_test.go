package command

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFolderOfAListThatOpensTooMuch(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, name := range []string{"pki/authority/issued", "pki/endpoint", "lists"} {
		if err := os.MkdirAll(in(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.VolumeName(dir) + string(filepath.Separator)
	for _, tc := range []struct{ folder, authority, want string }{
		{in("lists"), in("pki/authority"), ""},
		{in("pki/endpoint"), in("pki/authority"), ""},
		{in("pki"), in("pki/authority"), "the authority's room"},
		{in("pki/authority"), in("pki/authority"), "the authority's room"},
		{in("pki/authority/issued"), in("pki/authority"), "the authority's room"},
		{dir, in("pki/authority"), "the authority's room"},
		{dir, "", ""},
		{root, in("pki/authority"), "every file"},
		{root, "", "every file"},
	} {
		if got := opens(tc.folder, tc.authority); got != tc.want {
			t.Errorf("%s opens %q, want %q", tc.folder, got, tc.want)
		}
	}
}

func TestFoldersOfListsAreNamedOnceAndBehindTheirLinks(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"room", "lists", "links"} {
		if err := os.Mkdir(in(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("lists/a.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{in("lists")}
	lists := []string{in("lists/a.pem"), in("lists/b.pem"), in("room/ca.pem")}
	if err := os.Symlink("../lists/a.pem", in("links/a.pem")); err == nil { // Windows may not let us
		lists, want = append([]string{in("links/a.pem")}, lists...), []string{in("links"), in("lists")}
	}
	if got := foldersOf(lists, in("room")); !slices.Equal(got, want) {
		t.Errorf("the folders are %q, want %q", got, want)
	}
}
