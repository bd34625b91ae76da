package docs_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// block is one piece of shell of a page, in the page's order.
type block struct {
	line   int // of its first command
	text   string
	unrun  string   // why it is not run; "" runs it
	status int      // that it ends with
	shows  []string // lines of what it prints
}

// What a page says to the test that runs its commands stands in remarks, which
// nobody sees who reads it:
//
//	<!-- not run: REASON -->                before a block
//	<!-- no command here is run: REASON --> anywhere, for the whole page
//	<!-- ends with: STATUS -->              before a block that shows a failure
//	<!-- run first: COMMANDS -->            what the page takes for given
//
// The fence "text" behind a block has lines of what it prints, "…" for what is
// left out.
var (
	wholePage = regexp.MustCompile(`<!-- no command here is run: (.+) -->`)
	remark    = regexp.MustCompile(`^ *<!-- (not run|ends with|run first):? *(.*?) *-->$`)
	fence     = regexp.MustCompile("^( *)```(.*)$")
)

// blocks reads the commands of a page.
func blocks(page string) ([]block, error) {
	var (
		list   []block
		next   block // what the remarks say of it
		begins int   // the first line of the fence that is open; 0 is none
		indent string
		inside string
		body   []string
	)
	if m := wholePage.FindStringSubmatch(page); m != nil {
		next.unrun = m[1]
	}
	whole := next
	for n, line := range strings.Split(page, "\n") {
		mark := fence.FindStringSubmatch(line)
		switch {
		case mark != nil && begins == 0:
			indent, inside, body, begins = mark[1], mark[2], nil, n+2
			continue
		case mark != nil && inside == "sh":
			next.line, next.text = begins, strings.Join(body, "\n")
			list, next = append(list, next), whole
		case mark != nil && inside == "text" && len(list) > 0:
			list[len(list)-1].shows = append(list[len(list)-1].shows, body...)
		case mark == nil && begins != 0:
			body = append(body, strings.TrimPrefix(line, indent))
			continue
		case mark == nil:
			if err := next.heed(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			if next.text != "" {
				next.line = n + 1
				list, next = append(list, next), whole
			}
		}
		begins = 0
	}
	if begins != 0 {
		return nil, fmt.Errorf("line %d: the fence is not closed", begins)
	}
	return list, nil
}

// heed takes what a remark says of the next block.
func (next *block) heed(line string) error {
	m := remark.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	switch status, err := strconv.Atoi(m[2]); {
	case m[2] == "":
		return fmt.Errorf("the remark %q says nothing", line)
	case m[1] == "not run":
		next.unrun = m[2]
	case m[1] == "ends with" && err == nil:
		next.status = status
	case m[1] == "run first":
		next.text = m[2]
	default:
		return fmt.Errorf("the remark %q makes no sense", line)
	}
	return nil
}
