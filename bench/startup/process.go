package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// patience is how long a function may take for its first event.
const patience = 30 * time.Second

// sample is what one start took.
type sample struct {
	took    time.Duration // from exec to the event's answer
	network time.Duration // of that, waiting for servers
	cpu     time.Duration
	peak    int64 // bytes of memory
}

// own is what the function itself took.
func (s sample) own() time.Duration { return s.took - s.network }

// start starts a program with new tables and gives it its event.
func (s *stack) start(p *program) (sample, error) {
	remove, err := s.tables()
	if err != nil {
		return sample{}, err
	}
	defer remove()
	if p.prepare != nil {
		if err := p.prepare(s); err != nil {
			return sample{}, err
		}
	}
	event, err := s.event(p)
	if err != nil {
		return sample{}, err
	}
	l, err := serve(event)
	if err != nil {
		return sample{}, err
	}
	defer l.close()
	var log bytes.Buffer
	c := exec.Command(p.binary)
	c.Env, c.Stdout, c.Stderr = s.environment(p, l.addr), &log, &log
	one, err := s.watch(c, l, p.answer)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, log.String())
	}
	return one, err
}

// watch runs the process until its event is answered as expected and the next
// one is asked for.
func (s *stack) watch(c *exec.Cmd, l *lambda, want string) (one sample, err error) {
	before, began := s.network.waited(), time.Now()
	if err := c.Start(); err != nil {
		return one, err
	}
	select {
	case r := <-l.answered:
		one.took, one.network = r.at.Sub(began), s.network.waited()-before
		if r.failed || !strings.HasPrefix(r.body, want) {
			err = fmt.Errorf("the event is answered with %s, want %s", r.body, want)
		}
	case <-time.After(patience):
		err = errors.New("the event is not answered")
	}
	if err == nil {
		select {
		case <-l.idle:
			one.peak, err = peak(c.Process.Pid)
		case <-time.After(patience):
			err = errors.New("it asks for no further event")
		}
	}
	_ = c.Process.Kill()
	_ = c.Wait() // it ends by the signal
	one.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return one, err
}

// peak is the most memory that a process has had resident. What wait4 tells is
// no use here: it knows the size of this process too, from before exec.
func peak(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil || !found {
		return 0, errors.New("the kernel does not tell the peak memory")
	}
	return kilobytes << 10, nil
}

// event is the valid event of a function. A message is a real one: the function
// may hide it.
func (s *stack) event(p *program) ([]byte, error) {
	if p.name == empty {
		return []byte("{}"), nil
	}
	event, err := os.ReadFile(filepath.Join(functions, p.name, "events", "valid.json"))
	if err != nil || p.queue == "" {
		return event, err
	}
	var batch struct{ Records []map[string]any }
	if err := json.Unmarshal(event, &batch); err != nil || len(batch.Records) != 1 {
		return nil, fmt.Errorf("valid.json of %s is no event with one record: %w", p.name, err)
	}
	record := batch.Records[0]
	record["receiptHandle"], err = s.receive(s.env[p.queue], fmt.Sprint(record["body"]))
	if err != nil {
		return nil, err
	}
	return json.Marshal(batch)
}

// receive sends a message and receives it, and gives the handle of that receipt.
func (s *stack) receive(queue, body string) (string, error) {
	if _, err := s.sqs.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
		return "", err
	}
	out, err := s.sqs.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 5, VisibilityTimeout: int32(time.Hour.Seconds())})
	if err != nil {
		return "", err
	}
	if len(out.Messages) != 1 {
		return "", fmt.Errorf("%d messages are on %s, want 1", len(out.Messages), queue)
	}
	return aws.ToString(out.Messages[0].ReceiptHandle), nil
}
