// Command lifetimes does the same work with goroutines that end or with goroutines that leak, and records them.
//
//	lifetimes MODE FOLDER
//
// It writes goroutine profiles in each form after each of three rounds.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

const rounds = 3
const callsPerRound = 30

// modes do one round of work; the first call may set up what lives as long as the program.
var modes = map[string]func(server *httptest.Server){
	"abandoned-sender":  abandonedSender,
	"forgotten-channel": forgottenChannel,
	"endless-context":   endlessContext,
	"held-lock":         heldLock,
	"missing-done":      missingDone,
	"unclosed-body":     unclosedBody,
	"kept-memory":       keptMemory,
	"healthy":           healthy,
}

func main() {
	work, folder := modes[os.Args[1]], os.Args[2]
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, "a body that somebody should read\n")
	}))
	for round := 0; round < rounds; round++ {
		work(server)
		time.Sleep(100 * time.Millisecond)
		runtime.GC()
		record("goroutine", 0, filepath.Join(folder, fmt.Sprintf("goroutine-%d.pb.gz", round)))
		record("goroutine", 1, filepath.Join(folder, fmt.Sprintf("counts-%d.txt", round)))
		record("goroutine", 2, filepath.Join(folder, fmt.Sprintf("dump-%d.txt", round)))
		record("heap", 0, filepath.Join(folder, fmt.Sprintf("heap-%d.pb.gz", round)))
	}
	record("goroutineleak", 0, filepath.Join(folder, "leaks.pb.gz"))
	record("goroutineleak", 1, filepath.Join(folder, "leaks.txt"))
}

func record(profile string, form int, path string) {
	found := pprof.Lookup(profile)
	if found == nil {
		return
	}
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := found.WriteTo(file, form); err != nil {
		panic(err)
	}
}

func abandonedSender(*httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		answers := make(chan int)
		go func() {
			time.Sleep(time.Millisecond)
			answers <- 1
		}()
		select {
		case <-answers:
		case <-time.After(10 * time.Microsecond):
		}
	}
}

func forgottenChannel(*httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		work := make(chan int)
		go consume(work)
		work <- call
	}
}

func consume(work <-chan int) {
	for range work {
		runtime.Gosched()
	}
}

func endlessContext(*httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		ctx, cancel := context.WithCancel(context.Background())
		_ = cancel
		ticks := make(chan int)
		go watch(ctx, ticks)
	}
}

func watch(ctx context.Context, ticks <-chan int) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

var ledger sync.Mutex

func heldLock(*httptest.Server) {
	ledger.TryLock()
	for call := 0; call < callsPerRound; call++ {
		go book()
	}
}

func book() {
	ledger.Lock()
	defer ledger.Unlock()
}

func missingDone(*httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		var group sync.WaitGroup
		group.Add(2)
		go func() { group.Done() }()
		go awaitAll(&group)
	}
}

func awaitAll(group *sync.WaitGroup) {
	group.Wait()
}

func unclosedBody(server *httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		status(server.URL)
	}
}

func status(url string) int {
	response, err := http.Get(url)
	if err != nil {
		panic(err)
	}
	return response.StatusCode
}

var remembered [][]byte

func keptMemory(*httptest.Server) {
	for call := 0; call < callsPerRound; call++ {
		remembered = append(remembered, remember(call))
	}
}

// remember makes a megabyte that nobody lets go.
func remember(call int) []byte {
	answer := make([]byte, 1<<20)
	answer[0] = byte(call)
	return answer
}

var (
	start sync.Once
	jobs  = make(chan func())
)

// healthy serves and asks over many kept connections, with a pool of workers, tickers, a signal handler and locks.
func healthy(server *httptest.Server) {
	start.Do(func() {
		for worker := 0; worker < 64; worker++ {
			go func() {
				for job := range jobs {
					job()
				}
			}()
		}
		for ticker := 0; ticker < 8; ticker++ {
			go func() {
				for range time.Tick(time.Second) {
					runtime.Gosched()
				}
			}()
		}
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt)
		go func() { <-signals }()
		http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 200
	})
	// Each round has more calls at once, so that more connections are kept.
	connections++
	var group sync.WaitGroup
	gate := make(chan struct{})
	for call := 0; call < connections*callsPerRound; call++ {
		group.Add(1)
		go func() {
			defer group.Done()
			<-gate
			response, err := http.Get(server.URL)
			if err != nil {
				panic(err)
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
		}()
	}
	close(gate)
	group.Wait()
	for job := 0; job < 100; job++ {
		jobs <- func() { time.Sleep(time.Microsecond) }
	}
}

var connections int
