package collector_test

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/collector"
)

func TestCollectionsAreAsUsualAfterTheFirst(t *testing.T) {
	t.Setenv("GOGC", "")
	usual := debug.SetGCPercent(70)
	defer debug.SetGCPercent(usual)
	collector.Postpone()
	if percent := percentNow(); percent <= 70 {
		t.Fatalf("the first collection comes at %d %%, like the others", percent)
	}
	runtime.GC()
	for end := time.Now().Add(10 * time.Second); percentNow() != 70; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("collections after the first come at %d %%, not as before at 70 %%", percentNow())
		}
	}
}

func TestWhoSetsGOGCDecides(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := percentNow()
	collector.Postpone()
	if percent := percentNow(); percent != before {
		t.Errorf("collections come at %d %%, and came at %d %%", percent, before)
	}
}

// percentNow is how much has to come to what is in use before it is collected.
func percentNow() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
