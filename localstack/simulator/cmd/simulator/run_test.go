package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-speed", "10"}, w, io.Discard)
		w.Close()
		done <- err
	}()
	lines := bufio.NewScanner(r)
	exports := 0
	for lines.Scan() && strings.HasPrefix(lines.Text(), "export ") {
		exports++
	}
	if exports != 22 {
		t.Errorf("%d exports, want 22", exports)
	}
	_, link, _ := strings.Cut(lines.Text(), ": ")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(link + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", res.StatusCode)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("error %v, want none", err)
	}
}

func TestUsage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		args, want string // part of the error; "" for none
	}{
		{"-help", ""},
		{"-listen 127.0.0.1", ""},
		{"-speed 0", "above zero"},
		{"-rate -1", "zero or more"},
		{"-reach .example.com=127.0.0.1:443 -reach .example.org=127.0.0.1:443", ""},
		{"-reach .example.com", "like .example.com=127.0.0.1:443"},
		{"-quick", "not defined"},
		{"-speed 2 now", `unexpected argument "now"`},
		{"-listen 127.0.0.1:http", "no port"},
		{"-listen 127.0.0.1:65530", "no port"},
		{"-listen [::1:5", "missing"},
	} {
		err := run(ctx, strings.Fields(tc.args), io.Discard, io.Discard)
		if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want %q", tc.args, err, tc.want)
		}
	}
}
