package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/transfer"
)

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
		RunE: g.act(func(ctx context.Context, args []string) error {
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
