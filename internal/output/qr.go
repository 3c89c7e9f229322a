package output

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	"github.com/boombuler/barcode/qr"
)

const (
	// quiet is the light border, in modules, that a reader needs around a code (ISO/IEC 18004).
	quiet = 4
	// pixels is the side of a module in a PNG: large enough to be printed and shown as it is.
	pixels = 8
	// maxQR is what the largest code holds of bytes at the level that is used here.
	maxQR = 2331
)

// QR is a text as a QR code with the error correction M, of which 15 % may be dirty.
type QR struct {
	size int // modules along a side, the quiet zone included
	dark []bool
}

// NewQR encodes a text of at most 2331 bytes, which is UTF-8 unless the reader takes it for something else: the code
// cannot say so, and phones guess right.
func NewQR(text string) (QR, error) {
	switch {
	case text == "":
		return QR{}, errors.New("a QR code of no text says nothing")
	case len(text) > maxQR:
		return QR{}, fmt.Errorf("a text of %d bytes does not fit into a QR code, which holds %d", len(text), maxQR)
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return QR{}, fmt.Errorf("making a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	q := QR{size: side + 2*quiet}
	q.dark = make([]bool, q.size*q.size)
	for y := range side {
		for x := range side {
			q.dark[(y+quiet)*q.size+x+quiet] = color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 0x80
		}
	}
	return q, nil
}

// at tells whether a module is dark; below the last row all is light.
func (q QR) at(x, y int) bool { return y < q.size && q.dark[y*q.size+x] }

// Columns is how many columns of a terminal the code takes.
func (q QR) Columns() int { return q.size }

// Terminal writes the code in half-block characters, two rows of modules to a line, for a terminal: black on white in
// colours of their own, so that its background does not matter.
func (q QR) Terminal(w io.Writer) error {
	// 16 and 231 are black and white in the colour cube, which no theme changes.
	return q.blocks(w, "\x1b[38;5;16;48;5;231m", "\x1b[0m")
}

// Text writes the code in the same characters without colours, for a file or a page: dark characters on a light ground.
func (q QR) Text(w io.Writer) error { return q.blocks(w, "", "") }

func (q QR) blocks(w io.Writer, before, after string) error {
	var b strings.Builder
	for y := 0; y < q.size; y += 2 {
		b.WriteString(before)
		for x := range q.size {
			switch upper, lower := q.at(x, y), q.at(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(after + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing a QR code: %w", err)
	}
	return nil
}

// PNG returns the code as an image of black and white, 8 pixels to a module.
func (q QR) PNG() ([]byte, error) {
	side := q.size * pixels
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if q.at(x/pixels, y/pixels) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("making a PNG of a QR code: %w", err)
	}
	return b.Bytes(), nil
}

// SVG returns the code as a drawing of any size.
func (q QR) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" width="%[2]d" height="%[2]d" shape-rendering="crispEdges">
<rect width="%[1]d" height="%[1]d" fill="#fff"/>
<path fill="#000" d="`, q.size, q.size*pixels)
	for y := range q.size {
		for x := 0; x < q.size; x++ {
			from := x
			for x < q.size && q.at(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	b.WriteString("\"/>\n</svg>\n")
	return b.Bytes()
}
