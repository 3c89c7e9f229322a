package output_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/testpki"
)

// texts are what codes hold, from the shortest to the longest.
func texts() []string {
	return []string{"7", "Valley,fts.example.org,8089,ssl", "tak://com.atakmap.app/import?url=https%3A%2F%2Fh.example.org%2Fa.zip",
		"HELLO WORLD", "Zürich 山田", strings.Repeat("x", 500), strings.Repeat("0123456789", 200), strings.Repeat("y", 2331)}
}

func code(t testing.TB, text string) output.QR {
	t.Helper()
	q, err := output.NewQR(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// decode has a reader that is not ours say what it sees.
func decode(t *testing.T, picture []byte) string {
	t.Helper()
	zbarimg := testpki.Need(t, "zbarimg")
	name := filepath.Join(t.TempDir(), "qr.png")
	if err := os.WriteFile(name, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	// The bytes as they are, since it would guess their script, and Zürich be in Japan.
	cmd := exec.Command(zbarimg, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-Sbinary", name)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("zbarimg: %v\n%s", err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n")
}

func TestAQRCodeIsReadByAnotherProgram(t *testing.T) {
	testpki.Need(t, "zbarimg")
	for _, text := range texts() {
		q := code(t, text)
		picture, err := q.PNG()
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, picture); got != text {
			t.Errorf("%.40q is read as %.40q", text, got)
		}
	}
	// What a terminal and a browser show, painted by this test.
	const text = "Valley,fts.example.org,8089,ssl"
	q := code(t, text)
	var screen bytes.Buffer
	if err := q.Terminal(&screen); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, paint(t, modulesOnScreen(t, screen.String()))); got != text {
		t.Errorf("the terminal is read as %q", got)
	}
	if got := decode(t, paint(t, modulesInSVG(t, q.SVG()))); got != text {
		t.Errorf("the SVG is read as %q", got)
	}
}

// modulesOnScreen does what a terminal does with half blocks.
func modulesOnScreen(t *testing.T, text string) (dark [][]bool) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		inner, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		inner, end := strings.CutSuffix(inner, "\x1b[0m")
		if !ok || !end {
			t.Fatalf("a line is not black on white, or does not end so: %q", line)
		}
		var upper, lower []bool
		for _, r := range inner {
			if !strings.ContainsRune(" ▀▄█", r) {
				t.Fatalf("the line %q has %q", inner, r)
			}
			upper, lower = append(upper, r == '▀' || r == '█'), append(lower, r == '▄' || r == '█')
		}
		dark = append(dark, upper, lower)
	}
	return dark
}

func modulesInSVG(t *testing.T, data []byte) (dark [][]bool) {
	t.Helper()
	var svg struct {
		ViewBox string `xml:"viewBox,attr"`
		Path    struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(data, &svg); err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscanf(svg.ViewBox, "0 0 %d", &n); err != nil {
		t.Fatal(err)
	}
	dark = make([][]bool, n)
	for y := range dark {
		dark[y] = make([]bool, n)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(svg.Path.D, "z"), "z") {
		var x, y, width, back int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%d", &x, &y, &width, &back); err != nil || width != back {
			t.Fatalf("%q: %v", part, err)
		}
		for i := range width {
			dark[y][x+i] = true
		}
	}
	return dark
}

func paint(t *testing.T, dark [][]bool) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 6*len(dark[0]), 6*len(dark)))
	for y := range 6 * len(dark) {
		for x := range 6 * len(dark[0]) {
			if !dark[y/6][x/6] {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAllFormsOfAQRCodeShowTheSame(t *testing.T) {
	for _, text := range texts() {
		q := code(t, text)
		var screen, plain bytes.Buffer
		if err := q.Terminal(&screen); err != nil {
			t.Fatal(err)
		}
		if err := q.Text(&plain); err != nil {
			t.Fatal(err)
		}
		if strings.NewReplacer("\x1b[38;5;16;48;5;231m", "", "\x1b[0m", "").Replace(screen.String()) != plain.String() {
			t.Errorf("%.40q: the page shows another code than the terminal", text)
		}
		onScreen, inSVG := modulesOnScreen(t, screen.String()), modulesInSVG(t, q.SVG())
		data, err := q.PNG()
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		n := q.Columns()
		if len(inSVG) != n || len(onScreen[0]) != n || picture.Bounds().Dx() != 8*n {
			t.Fatalf("%.40q: %d columns, %d in the SVG, %d on the screen", text, n, len(inSVG), len(onScreen[0]))
		}
		for y := range n {
			for x := range n {
				r, _, _, _ := picture.At(8*x+4, 8*y+4).RGBA()
				if d := inSVG[y][x]; d != onScreen[y][x] || d != (r == 0) {
					t.Fatalf("%.40q: they differ at %d, %d", text, x, y)
				}
				if border := min(x, y, n-1-x, n-1-y) < 4; border && inSVG[y][x] {
					t.Fatalf("%.40q: the quiet zone is dark at %d, %d", text, x, y)
				}
			}
		}
	}
}

func TestAQRCodeThatCannotBeMade(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "a QR code of no text says nothing",
		strings.Repeat("x", 2332): "a text of 2332 bytes does not fit into a QR code, which holds 2331",
	} {
		if _, err := output.NewQR(text); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := code(t, "x").Text(fullDisk{}); err == nil || err.Error() != "writing a QR code: no space left" {
		t.Errorf("got %v", err)
	}
}

func FuzzQR(f *testing.F) {
	for _, text := range texts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := output.NewQR(text)
		if err != nil {
			if text != "" && len(text) <= 2331 {
				t.Error(err)
			}
			return
		}
		var b bytes.Buffer
		if err := q.Text(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(line); n != q.Columns()+1 || n > 177+8+1 {
				t.Fatalf("a line of %d characters in a code of %d columns", n, q.Columns())
			}
		}
	})
}
