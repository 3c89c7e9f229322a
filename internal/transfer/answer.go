package transfer

import (
	"encoding/hex"
	"fmt"
)

// CheckAnswer holds an answer against the request as it was sent, which the caller has kept: not as it is in the folder
// that came back, unless its sum is known to be the same. The error is a *[StaleError] where the answer is to another
// request, an *[UnaskedError] where it answers what that does not ask, or a *[FormError] where one of them is no whole
// manifest of its kind. What the request asks may be left unanswered.
func CheckAnswer(request, answer Manifest) error {
	if request.Kind != Request || answer.Kind != Answer {
		return &FormError{fmt.Sprintf("a manifest of kind %q does not answer one of kind %q", answer.Kind, request.Kind)}
	}
	if err := answer.check(); err != nil {
		return err
	}
	sum, err := request.Sum()
	if err != nil {
		return err
	}
	if asked := hex.EncodeToString(sum[:]); answer.InReplyTo != asked {
		return &StaleError{InReplyTo: answer.InReplyTo, Request: asked}
	}
	asked := map[string]bool{}
	for _, it := range request.Items {
		asked[it.File] = true
	}
	for i, it := range answer.Items {
		if !asked[it.Answers] {
			return &UnaskedError{Item: i + 1, Answers: it.Answers}
		}
	}
	return nil
}
