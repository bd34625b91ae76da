package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// serviceKey is the key of the service account, made once in a process: every
// simulator in it takes the same one.
var serviceKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil { // crypto/rand does not fail
		panic(err)
	}
	return key
})

// credentialsFile is the file that GOOGLE_APPLICATION_CREDENTIALS names. It is
// written when somebody first asks for it.
type credentialsFile struct {
	account string

	mu   sync.Mutex
	path string
}

// at gives the file's path; "" when it cannot be written.
func (c *credentialsFile) at(tokens string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "" {
		return c.path
	}
	f, err := os.CreateTemp("", "simulated-service-account-*.json")
	if err != nil {
		return ""
	}
	_, err = f.Write(c.content(tokens))
	if f.Close() != nil || err != nil {
		_ = os.Remove(f.Name())
		return ""
	}
	c.path = f.Name()
	return c.path
}

// content is what Google's console lets one download.
func (c *credentialsFile) content(tokens string) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(serviceKey())
	if err != nil { // an RSA key can be written
		panic(err)
	}
	return jsonAnswer(0, map[string]string{
		"type": "service_account", "project_id": "simulated", "private_key_id": "1", "client_email": c.account,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": tokens,
	}).body
}

func (c *credentialsFile) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path != "" {
		_ = os.Remove(c.path)
	}
	c.path = ""
}

// token gives an access token for an assertion that the service account
// signed.
func (g *sheetsAPI) token(in inbound) answer {
	form, err := in.form()
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return refuseToken("unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
	}
	if problem := g.assertion(form.Get("assertion")); problem != "" {
		return refuseToken("invalid_grant", problem)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	token := "ya29.simulated-" + g.sim.ids.hex()
	g.tokens[token] = true
	return jsonAnswer(http.StatusOK, map[string]any{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
}

func refuseToken(code, description string) answer {
	return jsonAnswer(http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
}

// assertion says what is wrong with a signed JSON web token, or "". Its times
// are those of the machine and not of the simulator's clock, because Google's
// libraries stamp it.
func (g *sheetsAPI) assertion(jwt string) string {
	signed, signature, _ := cutLast(jwt, ".")
	sign, err := base64.RawURLEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(signed))
	if err != nil || rsa.VerifyPKCS1v15(&serviceKey().PublicKey, crypto.SHA256, sum[:], sign) != nil {
		return "Invalid JWT Signature."
	}
	_, payload, _ := strings.Cut(signed, ".")
	var claims struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Issued   int64  `json:"iat"`
	}
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return "Invalid JWT: Failed audience check."
	}
	now := time.Now().Unix()
	switch {
	case claims.Issuer != g.file.account:
		return "Invalid grant: account not found"
	case claims.Audience != g.sim.tokenURL():
		return "Invalid JWT: Failed audience check."
	case claims.Expires < now || claims.Issued > now+300 || claims.Expires > claims.Issued+3600:
		return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
	case !strings.Contains(claims.Scope, "https://www.googleapis.com/auth/spreadsheets"):
		return "Invalid OAuth scope or ID token audience provided."
	}
	return ""
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (s *Simulator) tokenURL() string { return "http://" + s.addresses[sheetsName] + "/token" }
