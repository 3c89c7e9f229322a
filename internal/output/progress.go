package output

import (
	"io"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
)

// Progress is a line that shows how far a long piece of work has come, and about how long the rest will take. Its
// methods may be called from several goroutines.
type Progress struct {
	bar *pb.ProgressBar // nil where nobody watches

	mu sync.Mutex // a step and what it says of the time left go together
}

// NewProgress begins a line on a terminal of width columns, with what is being done in front and a bar up to total. A
// width of 0 or less means that no terminal shows it: then nothing is ever written, and the same where total is 0 or
// less. Until End, nothing else should be written to the terminal. Errors of writing are passed over: the work itself
// goes on without a watcher.
func NewProgress(w io.Writer, width, total int, what string) *Progress {
	if width <= 0 || total <= 0 {
		return &Progress{}
	}
	// The last column stays free, since some terminals begin a new line when it is filled.
	bar := pb.New(total).SetWriter(w).SetWidth(max(width-1, 1)).
		SetTemplateString(`{{string . "what"}}  {{counters . "%s of %s"}}  {{bar . "[" "=" ">" " " "]"}}  {{string . "time"}}`).
		Set("what", visible(what)).Set(pb.Terminal, true).Set(pb.ReturnSymbol, "\r").Set(pb.Color, false)
	return &Progress{bar: bar.Write().Start()}
}

// Add says that n more steps are done.
func (p *Progress) Add(n int) {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Steps come in bursts, and from those the library's own estimate is several times too short.
	p.bar.Add(n)
	if done, total := p.bar.Current(), p.bar.Total(); 0 < done && done < total {
		left := time.Duration(float64(time.Since(p.bar.StartTime())) / float64(done) * float64(total-done))
		p.bar.Set("time", left.Round(time.Second).String()+" left")
	}
}

// End shows how far the work came, and the time that it took, and ends the line. Once is enough, and twice does no harm.
func (p *Progress) End() {
	if p.bar == nil || p.bar.IsFinished() {
		return
	}
	p.bar.Set("time", time.Since(p.bar.StartTime()).Round(time.Second).String())
	p.bar.Finish()
}
