package endpoint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestPeersSilentAfterTheConnectionMakeRoom(t *testing.T) {
	withstand(t, silentAfterConnect()).unheard()
}

func TestPeersSilentAfterTheHandshakeCostOthersNothing(t *testing.T) {
	withstand(t, silentAfterHandshake()).unheard()
}

func TestOneByteASecondHoldsUpNobody(t *testing.T) {
	withstand(t, oneByteASecond()).unheard()
}

func TestEventWithoutAnEndIsCut(t *testing.T) {
	o := withstand(t, endlessEvent())
	o.unheard()
	o.cut("eve", endpoint.Oversize)
}

func TestEventOf64KiBAndOneByteIsCut(t *testing.T) {
	o := withstand(t, oneByteTooMany())
	o.unheard()
	o.cut("eve", endpoint.Oversize)
}

func TestDeepNestingIsDropped(t *testing.T) {
	withstand(t, deepNesting()).unheard()
}

func TestEntitiesAreDropped(t *testing.T) {
	withstand(t, entities()).unheard()
}

func TestEndThatIsNoneBringsNothingThrough(t *testing.T) {
	withstand(t, falseEnds()).unheard()
}

func TestFrameThatIsNoneBringsNothingThrough(t *testing.T) {
	withstand(t, badFrames()).unheard()
}

func TestRenegotiationEndsTheSession(t *testing.T) {
	o := withstand(t, renegotiation())
	o.unheard()
	for _, line := range o.log.lines(t, "session ended") {
		if text, _ := line["error"].(string); strings.Contains(text, "clientHello") {
			return
		}
	}
	t.Error("no session ended for the second ClientHello that came")
}

func TestHalfClosedConnectionsEnd(t *testing.T) {
	withstand(t, halfClose()).unheard()
}

func TestStormOfResetsIsBorne(t *testing.T) {
	withstand(t, resets()).unheard()
}

func TestRevokedClientIsNotHeardHoweverOftenItComesBack(t *testing.T) {
	withstand(t, revokedClient()).unheard()
}

func TestNameIsThatOfTheProvedCertificateWhateverComesAlong(t *testing.T) {
	o := withstand(t, extraCertificates())
	o.unheard()
	o.started("eve")
	withstand(t, extraCertificateInFront()).started()
}

func TestCertificateWithoutItsKeyLeavesNoTrace(t *testing.T) {
	o := withstand(t, certificateWithoutItsKey())
	o.started()
	for _, line := range o.log.lines(t, "handshake failed") {
		for key, value := range line {
			if text, ok := value.(string); ok && strings.Contains(text, "owner") {
				t.Fatalf("the log names the owner of the certificate: %s=%q", key, text)
			}
		}
	}
}

func TestFloodOfEventsIsHeldBack(t *testing.T) {
	withstand(t, floodOfEvents()).heldBack("eve")
}

func TestFloodOfPingsIsHeldBack(t *testing.T) {
	o := withstand(t, floodOfPings())
	o.unheard()
	o.heldBack("eve")
}

func TestFloodOfPositionsIsHeldBack(t *testing.T) {
	withstand(t, floodOfPositions()).heldBack("eve")
}

func TestSlowReaderIsCutAndTheOthersMissNothing(t *testing.T) {
	withstand(t, slowReaders()).cut("eve", endpoint.Slow)
}

// cut shows that the log has a client cut for this cause.
func (o outcome) cut(name string, cause endpoint.Cause) {
	o.t.Helper()
	for _, line := range o.log.lines(o.t, "session cut") {
		if line["name"] == name && line["cause"] == string(cause) {
			return
		}
	}
	o.t.Errorf("the log has no %s cut as %s", name, cause)
}

// heldBack shows that nobody but this client was held back.
func (o outcome) heldBack(name string) {
	o.t.Helper()
	for _, line := range o.log.lines(o.t, heldBack) {
		if line["name"] != name {
			o.t.Errorf("%v was held back", line["name"])
		}
	}
}

// started shows that besides the team only clients with these names were served.
func (o outcome) started(names ...string) {
	o.t.Helper()
	for _, line := range o.log.lines(o.t, "session started") {
		name := line["name"].(string)
		if !strings.HasPrefix(name, "mate-") && !slices.Contains(names, name) {
			o.t.Errorf("%q was served", name)
		}
	}
}
