package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/transfer"
)

func newTransferCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "transfer",
		Short: "Carry requests, revocations and lists between machines in a folder",
		Long: `Carry in a folder, on a memory stick say, what a store asks of the one above it, and the answer back: from an
authority to its root, from an endpoint to its authority. Three steps, and each may be run again:

  ftsca transfer out FOLDER     where something is wanted
  ftsca transfer sign FOLDER    where the key is: shows every item in full, asks, signs
  ftsca transfer in FOLDER      back home: checks and installs

Each step shows ten words for what is in the folder. Read them aloud over another way, the phone say: if
both sides have the same words, nobody has changed anything on the way.`,
		Args: cobra.NoArgs,
		RunE: help,
	}
	cmd.AddCommand(newTransferOutCommand(g, runTransferOut), newTransferSignCommand(g, runTransferSign), newTransferInCommand(g, runTransferIn))
	return cmd
}

type transferOutOptions struct {
	g      *global
	folder string
	dryRun bool
}

func newTransferOutCommand(g *global, runF func(context.Context, *transferOutOptions) error) *cobra.Command {
	o := &transferOutOptions{g: g}
	cmd := &cobra.Command{
		Use:   "out FOLDER",
		Short: "Write what waits for another machine into a folder",
		Long: `Write into a folder what this store asks of the one above it: an authority's request and the revocations that
concern its root; an endpoint's requests (ftsca csr new --out pki/endpoint) and revocations; and always the
wish for newer lists and certificates.`,
		Example: "  ftsca transfer out /media/stick/ftsca",
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.folder = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be written, and write nothing")
	return cmd
}

func runTransferOut(ctx context.Context, o *transferOutOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	m, contents, err := transfer.Collect(ctx, s, g.env.Now())
	if err != nil {
		return err
	}
	tell := func(asks string) {
		for _, it := range m.Items {
			g.say("%-12s %s", asks, strings.TrimSpace(it.Kind+" "+it.Note))
		}
	}
	if o.dryRun {
		tell("would ask")
		return nil
	}
	sum, err := m.Sum()
	if err != nil {
		return err
	}
	if err := o.write(s, m, contents); err != nil {
		return err
	}
	// After the folder: an answer that is on its way must not become stale by a folder that could not be written.
	if err := transfer.Remember(s, m); err != nil {
		return err
	}
	tell("asks")
	g.sayWords(sum)
	return nil
}

// write writes a request. An answer that lies in the folder gives way when it was taken in, and stays else.
func (o *transferOutOptions) write(s *store.Store, m transfer.Manifest, contents [][]byte) error {
	err := writeTransfer(o.folder, m, contents)
	var waiting *transfer.AnswerWaitingError
	if !errors.As(err, &waiting) {
		return err
	}
	_, taken, takenErr := s.Taken([32]byte{}, waiting.Sum)
	if takenErr != nil || !taken {
		return errors.Join(err, takenErr)
	}
	if err := transfer.DiscardAnswer(o.folder, waiting.Sum); err != nil {
		return err
	}
	return writeTransfer(o.folder, m, contents)
}

// writeTransfer writes a side of a transfer. An answer that lies there is never destroyed.
func writeTransfer(folder string, m transfer.Manifest, contents [][]byte) error {
	if _, err := transfer.Write(folder, m, contents); err != nil {
		return fmt.Errorf("the folder %s: %w", folder, err)
	}
	return nil
}

// sayWords tells a manifest's sum so that it can be read aloud.
func (g *global) sayWords(sum [32]byte) {
	g.say("%-12s %s", "words", strings.Join(transfer.Words(sum), " "))
}

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
		RunE: g.run(func(ctx context.Context, args []string) error {
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

type transferInOptions struct {
	g          *global
	folder     string
	words      string
	yes        bool
	preset     bool
	passphrase secretSource
	dryRun     bool
}

func newTransferInCommand(g *global, runF func(context.Context, *transferInOptions) error) *cobra.Command {
	o := &transferInOptions{g: g}
	cmd := &cobra.Command{
		Use:   "in FOLDER",
		Short: "Check the answer that came back, and install it",
		Long: `Check the answer to the last ftsca transfer out of this store, and install it: an authority's certificate, an
endpoint's certificates, lists and authorities. What was not asked for, was changed on the way, or answers an
older request is refused. Revocations only add.`,
		Example: `  ftsca transfer in /media/stick/ftsca
  ftsca transfer in /media/stick/ftsca --words "abandon ability …"`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.folder = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.words, "words", "", "the ten `words` that the signer showed: anything else is refused, and no question is asked")
	flags.BoolVar(&o.yes, "yes", false, "install without comparing the words, unless the store would believe a stranger or an authority is revoked")
	flags.BoolVar(&o.preset, "default", false, "serve with a certificate that came, whatever its name")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "check the answer, and install nothing")
	return cmd
}

func runTransferIn(ctx context.Context, o *transferInOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	m, contents, sum, err := transfer.Read(o.folder, transfer.Answer)
	if err != nil {
		return fmt.Errorf("the folder %s: %w", o.folder, err)
	}
	d, err := transfer.Open(ctx, s, m, contents)
	if err != nil {
		return fmt.Errorf("the answer in %s: %w", o.folder, err)
	}
	g.talk("%-12s %s, made %s", "from", m.From.Name, stamp(m.Made))
	for _, c := range d.Strangers {
		g.talk("%-12s %s, %s", "stranger", c.Subject.CommonName, fingerprint(c))
	}
	for _, c := range d.Condemned {
		g.talk("%-12s %s, an authority of this store", "revokes", c.Subject.CommonName)
	}
	g.sayWords(sum)
	switch {
	case o.words != "":
		if err := transfer.CheckWords(o.words, sum); err != nil {
			return &noError{err.Error()}
		}
	case o.yes && !d.IsGrave() || o.dryRun:
	default:
		// Nobody here can vouch for a stranger, nor for the end of an authority, but the words can.
		ok, err := g.env.Prompt().Confirm(prompt.Question{Text: "Are these the words that the signer's machine showed", Flag: "--words"})
		if err == nil && !ok {
			err = &noError{"the words are others: the folder was changed on the way, and nothing was installed"}
		}
		if err != nil {
			return err
		}
	}
	if o.dryRun {
		return nil
	}
	if s.HasAuthority() {
		err = o.toAuthority(ctx, s, d)
	} else {
		err = o.toEndpoint(ctx, s, d)
	}
	if err != nil {
		return err
	}
	request, err := transfer.Remembered(s)
	if err != nil {
		return err
	}
	asked, err := request.Sum()
	if err == nil {
		err = s.NoteTaken(asked, sum)
	}
	if err != nil {
		return err
	}
	for _, it := range d.Refused {
		g.say("%-12s %s: %s", "refused", it.Kind, it.Refused)
	}
	if len(d.Refused) > 0 {
		return &noError{plural(len(d.Refused), "item was refused", "items were refused") + " by the signer"}
	}
	return nil
}

// toAuthority installs what a root has answered.
func (o *transferInOptions) toAuthority(ctx context.Context, s *store.Store, d *transfer.Delivery) error {
	g := o.g
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	if d.Authority != nil && keys.authorities.Pending != nil {
		answer, err := readAnswer(d.Authority, keys.authorities, g.env.Now())
		if err != nil {
			return err
		}
		// The words vouch for the root as for all else.
		if err := keys.install(ctx, answer); err != nil {
			return err
		}
		g.say("%-12s %s, until %s", "installed", answer.cert.Subject.CommonName, stamp(answer.cert.NotAfter))
		if keys, err = g.keyring(ctx, s, o.passphrase, true); err != nil {
			return err
		}
	}
	var renewed, lists = store.Installation{}, []store.SignedList{}
	for _, c := range d.Authorities {
		if keys.authorities.Renews(c) {
			renewed.Above = append(renewed.Above, c)
		}
	}
	if len(renewed.Above) > 0 {
		if err := s.Install(ctx, renewed); err != nil {
			return err
		}
		g.say("%-12s %s", "root", renewed.Above[0].Subject.CommonName)
	}
	for _, l := range d.Lists {
		if keys.authorities.Knows(l.Authority) {
			lists = append(lists, l)
		}
	}
	if len(lists) == 0 {
		return nil
	}
	if err := s.TakeLists(ctx, lists); err != nil {
		return err
	}
	g.say("%-12s %s", "lists", plural(len(lists), "revocation list of the root", "revocation lists of the root"))
	return nil
}

// toEndpoint installs what an authority has answered.
func (o *transferInOptions) toEndpoint(ctx context.Context, s *store.Store, d *transfer.Delivery) error {
	g := o.g
	if d.Authority != nil {
		return errors.New("the answer has an authority's certificate, and this store has no authority")
	}
	served, err := s.Update(ctx, d.Update, o.preset)
	if err != nil {
		return err
	}
	for _, c := range d.Update.Servers {
		g.say("%-12s %s, until %s", "installed", c.Chain[0].Subject.CommonName, stamp(c.Chain[0].NotAfter))
	}
	for _, name := range served {
		g.say("%-12s %s", "serves as", name)
	}
	g.say("%-12s %s", "authorities", plural(len(d.Authorities), "certificate", "certificates"))
	g.say("%-12s %s in force at the authority", "revocations", plural(len(d.Update.Revoked), "entry", "entries"))
	return nil
}
