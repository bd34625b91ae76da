package openai

import (
	"encoding/json"
	"net/http"
	"strings"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// choice is one answer of the model.
type choice struct {
	Message *struct {
		Content string `json:"content"` // null when there is none
		Refusal string `json:"refusal"`
	} `json:"message"`
	FinishReason string `json:"finish_reason"`
}

// read takes the first choice out of a 200. A body without one is classified
// as any other answer, whose status then says nothing.
func (c *Client) read(a httpcall.Answer) (choice, *fault.Fault) {
	var body struct {
		Choices []choice        `json:"choices"`
		Error   json.RawMessage `json:"error"`
	}
	problem := ""
	switch err := json.Unmarshal(a.Body, &body); {
	case err != nil:
		problem = "its answer is not the JSON of a completion"
	case len(body.Error) > 0 && string(body.Error) != "null":
		problem = "it sent an error with status 200"
	case len(body.Choices) == 0 || body.Choices[0].Message == nil:
		problem = "its answer holds no choice"
	default:
		return body.Choices[0], nil
	}
	f := c.classify(a.Status, a.Header, a.Body)
	if f.Message == "" {
		f.Message = problem
	}
	return choice{}, f
}

// text judges what the model wrote. The fault's code is the finish reason.
func (c choice) text() (string, *fault.Fault) {
	text := strings.TrimSpace(c.Message.Content)
	refused := fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact,
		Service: service, Status: http.StatusOK}
	switch {
	case c.FinishReason == "content_filter":
		refused.Code, refused.Message = c.FinishReason, "the content filter stopped the script"
	case c.Message.Refusal != "":
		refused.Code, refused.Message = "refusal", "the model refuses to write the script"
	case text == "":
		return "", &fault.Fault{Kind: fault.BadResponse, Service: service, Status: http.StatusOK,
			Message: "its answer holds no text"}
	case c.FinishReason == "length":
		refused.Code, refused.Message, refused.Suspect = c.FinishReason, "the script exceeds its token limit", true
	default:
		return text, nil
	}
	return "", &refused
}
