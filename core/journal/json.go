package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is an entry as one JSON object on one line, the line's end included: a
// line of app_logs.json and of the functions' log.
func JSON(e Entry) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		// Only a time that no clock shows cannot be written.
		return fmt.Appendf(nil, "{\"level\":\"ERROR\",\"event\":\"entry_not_written\",\"message\":%q}\n", err)
	}
	return b.Bytes()
}
