package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/transfer"
)

type transferSignOptions struct {
	g             *global
	folder        string
	days          int
	newGeneration bool
	words         string
	yes           bool
	passphrase    secretSource
	dryRun        bool
}

func newTransferSignCommand(g *global, runF func(context.Context, *transferSignOptions) error) *cobra.Command {
	o := &transferSignOptions{g: g}
	cmd := &cobra.Command{
		Use:   "sign FOLDER",
		Short: "Show what another machine asks, and sign it",
		Long: `Show each item of a request in full, ask whether it is to be signed, sign, and write the answer beside it. What
cannot be signed is refused with the reason, which the answer carries home.`,
		Example: `  ftsca transfer sign /media/stick/ftsca
  ftsca transfer sign /media/stick/ftsca --words "abandon ability …" --yes`,
		Args: cobra.ExactArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.folder = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.IntVar(&o.days, "days", 0, "validity of what is signed, in days from now (default 730, of an issuing authority 3650)")
	flags.BoolVar(&o.newGeneration, "new-generation", false, "sign for names in use, whatever the key; the earlier certificates stay valid")
	flags.StringVar(&o.words, "words", "", "the ten `words` that the other machine showed: anything else is refused")
	flags.BoolVar(&o.yes, "yes", false, "sign every item without a question; what gives or takes the powers of an authority needs --words too")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what is asked, and sign nothing")
	return cmd
}

// answered tells that the folder has this store's own answer already, and says its words. An answer that this store did
// not give is nobody's to vouch for: it may be laid there by whoever carried the folder.
func (o *transferSignOptions) answered(ctx context.Context, s *store.Store, request [32]byte) (bool, error) {
	answer, _, sum, err := transfer.Read(o.folder, transfer.Answer)
	if err != nil || answer.InReplyTo != fmt.Sprintf("%x", request) {
		return false, nil // writing the answer tells what lies in its place
	}
	ours, err := s.Answered(ctx, request, sum)
	if err != nil {
		return false, err
	}
	if !ours {
		return false, &noError{fmt.Sprintf("%s has an answer to this request that was not made here: somebody else may have laid it there; take answer* away, and sign again", o.folder)}
	}
	o.g.talk("this request is answered already")
	o.g.sayWords(sum)
	return true, nil
}

func runTransferSign(ctx context.Context, o *transferSignOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	m, contents, sum, err := transfer.Read(o.folder, transfer.Request)
	if err != nil {
		return fmt.Errorf("the folder %s: %w", o.folder, err)
	}
	if o.words != "" {
		if err := transfer.CheckWords(o.words, sum); err != nil {
			return &noError{err.Error()}
		}
	}
	g.talk("%-12s %s, made %s", "from", m.From.Name, stamp(m.Made))
	g.talk("%-12s %s", "words", strings.Join(transfer.Words(sum), " "))
	if done, err := o.answered(ctx, s, sum); done || err != nil {
		return err
	}
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	review, err := transfer.NewReview(ctx, s, m, contents, sum, transfer.Options{Now: g.env.Now(), Days: o.days, NewGeneration: o.newGeneration})
	if err != nil {
		return err
	}
	for i, c := range review.Cases {
		g.talk("")
		g.talk("%-12s %s", fmt.Sprint("item ", i+1), strings.TrimSpace(c.Item.Kind+" "+c.Item.Note))
		for _, row := range c.Rows {
			g.talk("%-12s %s", row[0], row[1])
		}
		switch {
		case c.Refused != "":
			g.talk("%-12s %s", "refused", c.Refused)
		case c.Quiet || o.yes && (!c.Grave || o.words != "") || o.dryRun:
		default:
			flag := "--yes"
			if c.Grave {
				flag = "--words and --yes"
			}
			ok, err := g.env.Prompt().Confirm(prompt.Question{Text: "Grant this", Flag: flag})
			if err != nil {
				return err
			}
			if !ok {
				c.Refused = "the signer said no"
			}
		}
	}
	if o.dryRun {
		return nil
	}
	outcome, err := review.Revoke(ctx)
	if err != nil {
		return err
	}
	// Lists are signed anew, so that what goes back is never older than what was asked.
	signers, _, err := keys.signers(true)
	if err != nil {
		return err
	}
	p, err := s.SignCRL(ctx, store.Signing{}, signers...)
	if err != nil {
		return err
	}
	g.tellPublication(p)
	var authority *ca.Authority
	if review.Orders() {
		if authority, err = keys.current(); err != nil {
			return err
		}
	}
	answer, parts, err := review.Grant(ctx, authority, g.env.Now())
	if err != nil {
		return err
	}
	answered, err := answer.Sum()
	if err == nil {
		err = s.NoteAnswer(ctx, sum, answered)
	}
	if err == nil {
		err = writeTransfer(o.folder, answer, parts)
	}
	if err != nil {
		return hinted(err, "what was signed lies in authority/issued too; mend this and sign again")
	}
	for _, it := range answer.Items {
		if it.Refused != "" {
			g.say("%-12s %s: %s", "refused", it.Kind, it.Refused)
		} else {
			g.say("%-12s %s", "answers", it.Kind)
		}
	}
	g.sayWords(answered)
	return g.tellProblems(outcome.Problems)
}
