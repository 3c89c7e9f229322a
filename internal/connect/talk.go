package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

const (
	timeForm = "2006-01-02T15:04:05.000Z"
	// life is how long the others see the position.
	life = 10 * time.Second
	// maxEvents bounds a check on a server that never comes to the answer.
	maxEvents = 100_000
)

// talk sends a position and a ping and reads up to the answer.
func talk(ctx context.Context, conn *tls.Conn, o Options, leaf *x509.Certificate, met *Met) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	uid := "ftsca-check-" + leaf.SerialNumber.Text(16)
	sent := time.Now()
	// In TLS 1.3 a server may have refused the device by now, whose writing then fails; only reading tells why.
	_, writing := conn.Write(append(position(uid, o.Now()), ping(uid, o.Now())...))
	err := listen(conn, uid, met)
	if err != nil && writing != nil && alertOf(err) == "" {
		err = errors.Join(writing, err)
	}
	if err != nil {
		return err
	}
	met.Latency = time.Since(sent)
	return nil
}

// listen reads until the answer to the ping comes.
func listen(conn *tls.Conn, uid string, met *Met) error {
	var framer cot.Framer
	defer framer.Release()
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		framer.Feed(buf[:n])
		for {
			piece, ok, tooLong := framer.Next()
			if tooLong != nil {
				return wrapf(tooLong, "the server sent more than %d bytes without an end of event, which no device "+
					"takes: it may be no CoT server", cot.MaxEvent)
			}
			if !ok {
				break
			}
			done, bad := met.hear(piece, uid)
			if done || bad != nil {
				return bad
			}
		}
		if err != nil {
			return err
		}
	}
}

// hear takes an event and tells whether it is the answer.
func (m *Met) hear(piece []byte, uid string) (done bool, err error) {
	event, err := cot.Parse(piece)
	switch {
	case err != nil:
		m.Malformed++
	case event.Type == "t-x-c-t-r":
		return true, nil
	case event.IsPing() && event.UID == uid+"-ping":
		m.Echoed = true
		return true, nil
	case event.Type == "t-x-takp-v":
		m.OffersProtobuf = m.OffersProtobuf || offersVersion1(string(event.Raw))
		return false, nil
	}
	if m.Events++; m.Events > maxEvents {
		return false, fmt.Errorf("the server sent %d events and no answer to the ping", maxEvents)
	}
	return false, nil
}

// offersVersion1 looks for a TakProtocolSupport of version 1, which is all that there is.
func offersVersion1(raw string) bool {
	for {
		_, rest, ok := strings.Cut(raw, "<TakProtocolSupport")
		if !ok {
			return false
		}
		tag, _, _ := strings.Cut(rest, ">")
		if strings.Contains(tag, `version="1"`) || strings.Contains(tag, `version='1'`) {
			return true
		}
		raw = rest
	}
}

// position is an event that says where the device is, and that it is none. uid is hexadecimal but for its beginning.
func position(uid string, now time.Time) []byte {
	return event(uid, "a-f-G-U-C", now, `<contact callsign="ftsca check"/><remarks>A check of the connection; it `+
		`will be gone in seconds.</remarks>`)
}

func ping(uid string, now time.Time) []byte { return event(uid+"-ping", "t-x-c-t", now, "") }

func event(uid, kind string, now time.Time, detail string) []byte {
	now = now.UTC()
	start, stale := now.Format(timeForm), now.Add(life).Format(timeForm)
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<event version="2.0" uid="%s" type="%s" time="%s" start="%s" stale="%s" how="m-g">`+
		`<point lat="0.0" lon="0.0" hae="0.0" ce="9999999.0" le="9999999.0"/><detail>%s</detail></event>`,
		uid, kind, start, start, stale, detail)
}
