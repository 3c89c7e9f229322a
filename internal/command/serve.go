package command

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/collector"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/metrics"
	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/sandbox"
	"github.com/ftsca/ftsca/internal/secret"
)

type serveOptions struct {
	g         *global
	listen    string
	logFormat string
	drain     time.Duration
	onlyXML   bool
	bind      string
	hold      time.Duration
	metrics   string
	lists     []string
	staleList string
	sandbox   string
	allowRoot bool
	unseal    secretSource
	limits    limitFlags
}

// What --stale-crl says.
const (
	staleRefuse = "refuse"
	staleWarn   = "warn"
)

// What --bind says.
const (
	bindStrict = "strict"
	bindWarn   = "warn"
	bindOff    = "off"
)

func newServeCommand(g *global, runF func(context.Context, *serveOptions) error) *cobra.Command {
	o := &serveOptions{g: g}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve CoT over mutual TLS",
		Long: `Serve CoT over mutual TLS from the store's endpoint room: every well-formed event of a client goes to
the others of its groups, or to whom it names. Only clients whose certificate this authority issued, and that is neither expired nor
revoked, are let in; who is revoked while connected is cut off within a second.

It speaks XML, and TAK protocol version 1 (protobuf) with every client that asks for it, and puts what one says
into the other's words.

It opens nothing outside endpoint/ but what --crl names, watches the files, and ends cleanly on SIGINT and
SIGTERM. SIGHUP has it read everything anew.

Groups are those of the certificates (ftsca issue client --group), or those of endpoint/groups.yaml. Who is in
none hears all others who are in none.

On Linux it gives up what it does not need before it takes the first connection, so that whoever gets the
better of it gets neither the authority's key nor any other file, program or process. The log says how much of
that this kernel can do; --sandbox=off does without. As root it serves only with --allow-root.

--crl names an X.509 list that another program signs with the same authority's key: what it revokes counts
beside the store's own list. One that is missing, foreign or past its nextUpdate is a reason not to start.

A client that sends more than --max-events-per-second or --max-bytes-per-second allow may do so for ten
seconds' worth; then it is read from no faster, and cut when that lasts for --flood-grace. No device
comes near it, but a gateway for hundreds may need more. An address from which too many handshakes fail is
not listened to for a while; --allow names those that are listened to at all.`,
		Example: `  ftsca serve
  ftsca serve --hold 1h
  ftsca serve --listen 10.0.0.5:8089 --log-format json
  ftsca serve --crl /opt/fts/certs/ca.pem
  ftsca serve --metrics 9089
  ftsca serve --allow 10.20.0.0/16,2001:db8:7::/48 --max-clients 500
  ftsca serve --max-events-per-second 2000 --max-bytes-per-second 2000000`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "0.0.0.0:8089", "`address` to listen on")
	flags.StringVar(&o.logFormat, "log-format", "text", "form of the log lines: text or json")
	flags.StringVar(&o.metrics, "metrics", "", "`address` for /metrics, /healthz and /readyz over HTTP; a port alone is on 127.0.0.1")
	flags.StringVar(&o.bind, "bind", bindStrict, "what to do with a position under a uid of another name: strict drops it, warn passes it on, off")
	flags.DurationVar(&o.hold, "hold", endpoint.DefaultHold, "how long to keep what is for a device that is away; 0: not at all")
	flags.BoolVar(&o.onlyXML, "no-protobuf", false, "speak XML alone, and do not offer TAK protocol version 1")
	flags.DurationVar(&o.drain, "drain", 10*time.Second, "how long to let queues empty at the end")
	flags.StringArrayVar(&o.lists, "crl", nil, "`file` with a further X.509 list, in PEM or DER; may be repeated")
	flags.StringVar(&o.staleList, "stale-crl", staleRefuse, "what to do where a further list is past its nextUpdate: refuse or warn")
	flags.StringVar(&o.sandbox, "sandbox", sandboxOn, "whether the process leaves itself nothing but the endpoint room, where the system can do that: on or off")
	flags.BoolVar(&o.allowRoot, "allow-root", false, "serve as root")
	o.unseal.bind(flags, "server-key-passphrase", "the passphrase of a sealed server.key")
	o.limits.bind(flags)
	return cmd
}

func runServe(ctx context.Context, o *serveOptions) error {
	g := o.g
	log, err := o.logger()
	if err != nil {
		return err
	}
	if o.drain <= 0 {
		return usagef("--drain %s: give a time", o.drain)
	}
	lists, err := o.furtherLists()
	if err != nil {
		return err
	}
	if err := o.checkSandbox(); err != nil {
		return err
	}
	config := endpoint.Config{Log: log, Now: g.env.Now, Drain: o.drain, NoProtobuf: o.onlyXML}
	if config.Bind, err = o.binding(); err != nil {
		return err
	}
	switch {
	case o.hold < 0:
		return usagef("--hold %s: give a time, or 0 to keep nothing", o.hold)
	case o.hold == 0:
		config.Hold = -1
	default:
		config.Hold = o.hold
	}
	if err := o.limits.apply(&config); err != nil {
		return err
	}
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	if err := o.refuseRoot(s); err != nil {
		return err
	}
	if cas, err := readCertificates(s.CAFile()); err == nil && cas[0].MaxPathLen > 0 {
		return hinted(fmt.Errorf("the authority of this store, %q, is a root, which serves nobody", cas[0].Subject.CommonName),
			"serve from the store of an issuing authority below it, or from its endpoint/ room")
	}
	if err := sandbox.NoDumps(); err != nil {
		return hinted(err, "a filter of system calls, such as a container's or a service's, keeps serve from it: let setrlimit, prlimit64 and prctl through")
	}
	serving := false
	loadKey, err := o.keyLoader(&serving)
	if err != nil {
		return err
	}
	files := reload.Files{Dir: s.Endpoint(), LoadKey: loadKey, Lists: lists, StaleLists: o.staleList == staleWarn}
	trust, report, err := files.Load(g.env.Now(), nil)
	if err != nil {
		return explainLoad(err, s.Endpoint())
	}
	serving = true
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return hinted(fmt.Errorf("listening: %w", err), "another program serves on %s, perhaps another ftsca serve or a FreeTAKServer; --listen takes another address", o.listen)
		}
		return fmt.Errorf("listening: %w", err)
	}
	gate := mtls.NewGate(trust, g.env.Now)
	config.Gate, config.Groups = gate, report.Groups
	register := s.Register()
	config.Generation = func(serial string) int {
		generation, _ := register.Generation(serial)
		return generation
	}
	fit(&config, descriptors(), log)
	shown := &metrics.State{}
	shown.Load(loaded(s, trust, report), g.env.Now())
	var counted *metrics.Metrics
	config.Handshaken = func(result endpoint.Cause, took time.Duration) { counted.Handshake(result, took) }
	e := endpoint.New(config)
	counted = metrics.New(shown, e.Stats)
	hide, err := o.show(ctx, counted, log)
	if err != nil {
		_ = listener.Close()
		return err
	}
	defer hide()
	logReport(log, report)
	for _, lapse := range lapses(s, nil, g.env.Now()) {
		log.Warn(lapse)
	}
	if err := noteFurther(s, lists); err != nil {
		log.Warn("ftsca show and ftsca list will not know the lists of --crl", slog.Any("error", err))
	}
	waits := &waiting{store: s, log: log}
	defer o.control(ctx, s, e, shown, waits, listener.Addr(), log)()
	super := o.supervisor(listener.Addr(), log)
	confined, err := o.confine(s, files, log)
	if err != nil {
		_ = listener.Close()
		return err
	}
	shown.Confine(confined)
	shown.Serve(true)
	log.Info("listening", slog.String("address", listener.Addr().String()),
		slog.String("server", trust.Certificate.Leaf.Subject.CommonName), slog.Time("until", trust.Certificate.Leaf.NotAfter),
		slog.Int("revoked", len(report.Entries)))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	roll := newRollCall(watching, register, log)
	roll.tell(watching, report.Groups)
	waits.look(watching, report)

	watcher := reload.Watcher{
		Now:     g.env.Now,
		Trigger: hangups(ctx),
		Asked:   super.reloading,
		OnTrust: func(t *mtls.Trust, r reload.Report) {
			gate.Swap(t)
			e.Judge()
			e.Regroup(r.Groups)
			shown.Load(loaded(s, t, r), g.env.Now())
			log.Info("reloaded", slog.Int("revoked", len(r.Entries)), slog.Int("vanished", len(r.Vanished)))
			logReport(log, r)
			roll.tell(watching, r.Groups)
			waits.look(watching, r)
		},
		OnError: func(err error) {
			var events *reload.WatchError
			if errors.As(err, &events) {
				log.Warn("watching", slog.Any("error", err))
				return
			}
			shown.Fault(err.Error())
			log.Error("not reloaded: what was in force stays in force", slog.Any("error", err), slog.String("hint", hintFor(explainFault(err, s, confined))))
		},
	}
	watched := make(chan error, 1)
	go func() { watched <- watcher.Run(watching, report) }()
	go super.attend(ctx, e, watchdog(g.env.Getenv))
	told := make(chan struct{})
	untold := context.AfterFunc(ctx, func() {
		defer close(told)
		shown.Serve(false)
		super.stopping()
	})
	super.ready()
	ballast := collector.Ballast()
	err = e.Serve(ctx, listener)
	runtime.KeepAlive(ballast)
	if !untold() {
		<-told // or the process may be over before the supervisor knows that it is about to be
	}
	stop()
	err = errors.Join(err, <-watched)
	roll.beside.Wait()
	waits.beside.Wait()
	if err != nil {
		return err
	}
	log.Info("ended")
	return nil
}

// binding is what --bind says.
func (o *serveOptions) binding() (endpoint.Binding, error) {
	switch o.bind {
	case bindStrict:
		return endpoint.BindStrict, nil
	case bindWarn:
		return endpoint.BindWarn, nil
	case bindOff:
		return endpoint.BindOff, nil
	}
	return 0, usagef("--bind %q is none of %s, %s, %s", o.bind, bindStrict, bindWarn, bindOff)
}

func (o *serveOptions) logger() (*slog.Logger, error) {
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(o.g.env.Stderr, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(o.g.env.Stderr, nil)), nil
	}
	return nil, usagef("--log-format %q is neither text nor json", o.logFormat)
}

// keyLoader opens server.key, at the start and again when it changes. Its passphrase is read or asked for before anybody is
// served and never later: the file is out of a confined process's reach then, and a question that waits for its answer
// would hold up every revocation.
func (o *serveOptions) keyLoader(serving *bool) (func(string) (crypto.Signer, error), error) {
	known, err := o.unseal.read()
	if err != nil {
		return nil, err
	}
	return func(path string) (crypto.Signer, error) {
		return keyfile.Load(path, func() (value secret.Secret, err error) {
			if known.IsZero() && !*serving {
				known, err = o.g.env.Prompt().Secret(prompt.Question{Text: "Passphrase of the server's key", Flag: "--server-key-passphrase-file"})
			}
			return known, err
		})
	}, nil
}

// explainLoad says what to do about an endpoint room that cannot be served from.
func explainLoad(err error, dir string) error {
	var list *reload.ListError
	if errors.As(err, &list) {
		return hinted(err, "ftsca crl repair sets the file aside and makes the list anew from the last good one and all that can be read")
	}
	var stale *reload.StaleError
	if errors.As(err, &stale) {
		return hinted(err, "get a newer one from whoever signs it; --stale-crl=warn serves all the same")
	}
	var groups *reload.GroupsError
	if errors.As(err, &groups) {
		if errors.Is(err, fs.ErrNotExist) {
			return hinted(err, "put it back; an empty file leaves everybody in the groups of his certificate")
		}
		return hinted(err, "each group has a list of names, as in blue: [alice, bob]; an empty file leaves everybody in the groups of his certificate")
	}
	var given *reload.GivenError
	if errors.As(err, &given) {
		return hinted(err, "--crl takes an X.509 list in PEM or DER that an authority in ca.pem signed; ftsca crl import reads other forms")
	}
	if _, missing := os.Stat(filepath.Join(dir, serverStem+certificateExt)); missing != nil {
		return hinted(err, "ftsca issue server makes the server's certificate and key")
	}
	return err
}

func logReport(log *slog.Logger, r reload.Report) {
	for _, w := range r.Warnings {
		log.Warn(w)
	}
	for _, e := range r.Vanished {
		log.Warn("in force although FTS_CRL.json does not have it", slog.String("serial", e.Serial.String()))
	}
}

// hangups yields for each SIGHUP until ctx is done.
func hangups(ctx context.Context) <-chan struct{} {
	signals, out := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case <-ctx.Done():
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out
}
