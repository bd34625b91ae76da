package sheets_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/sheets"
)

// accessToken is what the token service gives.
const accessToken = "planted-token-4711"

// tokenService gives the token to everybody, until the test ends.
func tokenService(t testing.TB) (url string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"`+accessToken+`","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// FuzzAnswers: whatever the Sheets API says, the rows are written or there is a
// fault of the table.
func FuzzAnswers(f *testing.F) {
	key, tokens := privateKey(f), tokenService(f)
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{accessToken}, Call: func(ctx context.Context, baseURL string) error {
		return write(ctx, keyFile(f, key, tokens), baseURL)
	}},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: application/json", Body: everything},
		httpcalltest.Answer{Status: 200, Body: odd},
		httpcalltest.Answer{Status: 403, Header: "Content-Type: application/json", Body: `{"error":{"code":403,"message":"$KEY $PHONE","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"$PHONE $KEY"}]}}`},
		httpcalltest.Answer{Status: 429, Header: "Retry-After: 7200", Body: `{"error":{"code":429,"errors":[{"reason":"rateLimitExceeded","message":"$KEY"}]}}`},
	)
}

// FuzzTokens: the same of the service that gives the account its token.
func FuzzTokens(f *testing.F) {
	key := privateKey(f)
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{accessToken}, Call: func(ctx context.Context, baseURL string) error {
		return write(ctx, keyFile(f, key, baseURL), baseURL)
	}},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: application/json", Body: `{"access_token":"$KEY","token_type":"Bearer","expires_in":-1}`},
		httpcalltest.Answer{Status: 400, Header: "Content-Type: application/json", Body: `{"error":"invalid_grant $PHONE","error_description":"$KEY"}`},
		httpcalltest.Answer{Status: 200, Body: `{"id_token":"a.b.c"}`},
	)
}

// write asks for one row to be written, in virtual time.
func write(ctx context.Context, key, endpoint string) error {
	b, err := sheets.New(sheets.Config{Spreadsheet: "1x", Credentials: key, Endpoint: endpoint, Clock: &clock{now: noon}})
	if err != nil {
		return err
	}
	defer b.Close()
	ended := entry(noon, 0)
	ended.Event = "call_completed" // one that is counted for the charts
	return b.Append(ctx, message("1", ended))
}

// everything is one answer to every question that a Book asks.
const everything = `{"properties":{"title":"Campaigns","timeZone":"Europe/Berlin"},
"sheets":[{"properties":{"sheetId":1204301,"title":"Log"}},{"properties":{"sheetId":1204302,"title":"Status"}},{"properties":{"sheetId":1204303,"title":"Charts"}}],
"matchedDeveloperMetadata":[
{"developerMetadata":{"metadataId":1000000000,"metadataKey":"callagent.mark","metadataValue":"{\"m\":[\"a\"],\"p\":[{\"o\":\"x\",\"s\":7}],\"r\":60000}"}},
{"developerMetadata":{"metadataId":1,"metadataKey":"callagent.column","metadataValue":"time","location":{"dimensionRange":{"sheetId":1204301,"startIndex":0}}}},
{"developerMetadata":{"metadataId":2,"metadataKey":"callagent.column","metadataValue":"name","location":{"dimensionRange":{"sheetId":1204302,"startIndex":1}}}},
{"developerMetadata":{"metadataId":3,"metadataKey":"callagent.column","metadataValue":"from","location":{"dimensionRange":{"sheetId":1204303,"startIndex":0}}}},
{"developerMetadata":{"metadataId":4,"metadataKey":"callagent.column","metadataValue":"completed","location":{"dimensionRange":{"sheetId":1204303,"startIndex":9}}}}],
"valueRanges":[{"valueRange":{"values":[[46082.5,1],["x",null],[]]}}]}`

// odd is the same with nothing where something should be.
const odd = `{"properties":null,"sheets":[null,{"properties":null}],"matchedDeveloperMetadata":[null,{},{"developerMetadata":{"metadataKey":"callagent.column",
"metadataValue":"time","location":{"dimensionRange":{"sheetId":1204301,"startIndex":4000000000000}}}}],"valueRanges":[null]}`

func privateKey(f testing.TB) string {
	f.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024) // as small as it may be: it signs once an input
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		f.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func keyFile(f testing.TB, key, tokenURI string) string {
	text, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "callagent@simulated.iam.gserviceaccount.com",
		"private_key": key, "private_key_id": "1", "token_uri": tokenURI})
	if err != nil {
		f.Fatal(err)
	}
	return string(text)
}
