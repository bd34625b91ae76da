package doctor

// The services of findings.
const (
	machine = "machine"
	writer  = "llm"
	speech  = "elevenlabs"
	phone   = "twilio"
	crm     = "crm"
	mail    = "email"
	chat    = "telegram"
	hook    = "webhook"
	sheet   = "sheets"
	store   = "store"
	amazon  = "aws"
)

// keys names the variables of each service: the one that holds its key, and the
// one that holds its address.
var keys = map[string]struct{ key, address string }{
	machine: {"PUBLIC_URL", "PUBLIC_URL"},
	writer:  {"OPENAI_API_KEY", "OPENAI_BASE_URL"},
	speech:  {"ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL"},
	phone:   {"TWILIO_AUTH_TOKEN", "TWILIO_BASE_URL"},
	crm:     {"HUBSPOT_TOKEN", "HUBSPOT_BASE_URL"},
	mail:    {"SMTP_URL", "SMTP_URL"},
	chat:    {"TELEGRAM_BOT_TOKEN", "TELEGRAM_BASE_URL"},
	hook:    {"ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL"},
	sheet:   {"SHEETS_SPREADSHEET_ID", "SHEETS_ENDPOINT"},
	amazon:  {"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"},
}

// row is what is said of one result. Names in braces are places that the
// finding fills.
type row struct {
	service, check  string // "" is any
	result          string
	status          Status
	meaning, remedy string
}

// rowOf finds the most special row; there is always one.
func rowOf(service, check, result string) row {
	for _, at := range []struct{ service, check string }{{service, check}, {service, ""}, {"", check}, {"", ""}} {
		for _, r := range catalogue {
			if r.service == at.service && r.check == at.check && r.result == result {
				return r
			}
		}
	}
	return row{status: Error, meaning: "The check ended as nobody foresaw: " + result + "."}
}

// catalogue is everything that the doctor can say. docs/doctor.md shows it.
var catalogue = []row{
	{"", "test alert", fine, OK, "A test alert was sent.", "See whether it arrived."},
	{"", "", off, OK, "Switched off: {key} is not set.", "To use it, set {key}."},
	{"", "", badSettings, Error, "It cannot be used as it is set.", "{why}."},
	{"", "", key, Error, "The key is refused ({why}).", "Set {key} to a key that works, whole and without quotes."},
	{"", "", permission, Error, "The key may not do this ({why}).", "Give the key the permission that is named, or set another in {key}."},
	{"", "", quota, Error, "Nothing is left to spend ({why}).", "Add credit or raise the limit in the account. Calls wait until then and go on by themselves."},
	{"", "", missing, Error, "What is asked for is not there ({why}).", "Check {address}, or leave it out."},
	{"", "", busy, Warning, "It asks to slow down ({why}).", "Try again in a minute."},
	{"", "", slow, Error, "No answer came within the time limit.", "Check this machine's network, and {address} if it is set."},
	{"", "", unreachable, Error, "It cannot be reached: {why}.", "Check this machine's network, and {address} if it is set."},
	{"", "", down, Warning, "It does not work at the moment ({why}).", "Nothing: it is theirs to mend. Calls wait and go on by themselves."},
	{"", "", strange, Error, "Its answer is not one of its API ({why}).", "Check {address}, or leave it out."},

	{machine, "clock", fine, OK, "The clock is right.", ""},
	{machine, "clock", "drifts", Warning, "The clock is {what}.", "Let the system set it: timedatectl set-ntp true."},
	{machine, "clock", "wrong", Error, "The clock is {what}: Google, AWS and receivers of webhooks refuse what is signed with a wrong time.", "Let the system set it: timedatectl set-ntp true."},
	{machine, "clock", "untold", Warning, "Nobody told the time, so the clock was not compared.", "Once Twilio can be reached, try again."},
	{machine, "address", fine, OK, "PUBLIC_URL is an https address.", ""},
	{machine, "address", "unneeded", OK, "Twilio is one on this machine, so no address from outside is needed.", ""},
	{machine, "address", "deployed", OK, "The functions know their own address; recordings are fetched from S3.", ""},
	{machine, "address", off, Error, "PUBLIC_URL is not set, so Twilio can fetch no recording and call nobody.", "Set PUBLIC_URL to the address of a tunnel or reverse proxy that leads to callagent run --listen."},
	{machine, "address", "plain", Warning, "PUBLIC_URL begins with http://, so recordings and reports can be read on the way.", "Use an https:// address: tunnels and reverse proxies give one."},
	{machine, "address", "private", Error, "PUBLIC_URL names this machine or a private network, which Twilio cannot reach.", "Set PUBLIC_URL to the address of a tunnel or reverse proxy, as it is seen from outside."},
	{machine, "audio", fine, OK, "PUBLIC_URL leads to {what} on this machine.", ""},
	{machine, "audio", "answers", OK, "PUBLIC_URL is answered ({why}); that it leads here was not shown.", "To be sure, add --listen with the address of callagent run --listen while that does not run."},
	{machine, "audio", "empty", Warning, "PUBLIC_URL is answered, but nothing is behind it now ({why}).", "Add --listen with the address of callagent run --listen: the doctor answers there for a moment."},
	{machine, "audio", "elsewhere", Error, "PUBLIC_URL leads somewhere else than to {what} on this machine ({why}).", "Let the tunnel or reverse proxy lead to {what}."},
	{machine, "audio", "listen", Error, "Nothing can be served at {what}: {why}.", "Give --listen an address of this machine, such as 127.0.0.1:8080."},
	{machine, "audio", unreachable, Error, "PUBLIC_URL cannot be reached: {why}.", "Start the tunnel or reverse proxy, and set PUBLIC_URL to its address."},
	{machine, "audio", slow, Error, "PUBLIC_URL gives no answer within the time limit.", "Start the tunnel or reverse proxy, and set PUBLIC_URL to its address."},

	{writer, "", off, Error, "Switched off: OPENAI_API_KEY is not set, and no call can be made without it.", "Set OPENAI_API_KEY."},
	{writer, "model", permission, Error, "The key may not do this ({why}).", "Give the key the permission that is named, or set another in OPENAI_API_KEY; OpenAI does not serve every country."},
	{writer, "model", fine, OK, "The key is accepted and may use {what}. Whether credit is left shows with the first script: callagent preview makes one.", ""},
	{writer, "model", missing, Error, "There is no model {what} for this key ({why}).", "Set OPENAI_MODEL to a model that the key may use."},
	{writer, "model", "unseen", Warning, "The key may not look at models ({why}); it may write scripts all the same.", "Allow it to read models, or make sure with callagent preview."},
	{writer, "model", "unlisted", Warning, "The server does not tell which models it has, so {what} was not found out about.", "Make sure with callagent preview, and that OPENAI_BASE_URL ends as the server's own documentation says, often /v1."},

	{speech, "", off, Error, "Switched off: ELEVENLABS_API_KEY is not set, and no call can be made without it.", "Set ELEVENLABS_API_KEY."},
	{speech, "", permission, Warning, "The key may not look at this ({why}); it may speak all the same.", "Allow the key to read models, voices and the user, or make sure with callagent preview."},
	{speech, "model", fine, OK, "The key is accepted and the model {what} speaks.", ""},
	{speech, "model", missing, Error, "There is no model {what} that speaks.", "Set ELEVENLABS_MODEL_ID to one of ElevenLabs' models, or leave it out."},
	{speech, "voice", fine, OK, "The voice {what} is there.", ""},
	{speech, "voice", missing, Error, "There is no voice {what} in this account.", "Set {where} to the id of a voice: Voices, the three dots beside one, Copy voice ID."},
	{speech, "voice", "unset", Error, "No voice is set for campaign {campaign}.", "Set ELEVENLABS_VOICE_ID, or voice in [campaign.{campaign}]."},
	{speech, "credit", fine, OK, "{what} characters are left.", ""},
	{speech, "credit", "low", Warning, "Only {what} characters are left, a call takes some 300.", "Add credit before a long list."},
	{speech, "credit", "spent", Error, "No characters are left.", "Add credit or take a larger plan. Calls wait until then and go on by themselves."},
	{speech, "credit", "unpaid", Error, "The subscription is not paid for, so nothing is spoken.", "Pay it in the account. Calls wait until then and go on by themselves."},

	{phone, "", off, Error, "Switched off: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set, and no call can be made without them.", "Set both; they stand on the first page of Twilio's console."},
	{phone, "", key, Error, "Account and token are refused ({why}).", "Copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN again, both of the same account and not the test credentials."},
	{phone, "account", fine, OK, "The account is active.", ""},
	{phone, "account", "malformed", Error, "TWILIO_ACCOUNT_SID is no account's id.", "Copy the Account SID: AC and 32 digits and letters a to f. The SID of an API key, which begins with SK, does not do."},
	{phone, "", inactive, Error, "The account is {what} and calls nobody.", "Log in to Twilio's console and see what it asks for, usually a payment or a verification."},
	{phone, "account", "trial", Warning, "It is a trial account: it calls only numbers that were verified in the console, and says so before each recording.", "Upgrade it before real calls."},
	{phone, "account", missing, Error, "There is no such account ({why}).", "Copy TWILIO_ACCOUNT_SID again."},
	{phone, "caller id", fine, OK, "{what} is ours.", ""},
	{phone, "caller id", "verified", OK, "{what} is verified for this account.", ""},
	{phone, "caller id", "foreign", Error, "{what} is not this account's, so Twilio calls nobody from it.", "Set {where} to a number of the account, or verify this one: Phone Numbers, Verified Caller IDs."},
	{phone, "caller id", "mute", Error, "{what} is ours but cannot call: it has no voice.", "Set {where} to a number with voice."},
	{phone, "caller id", "unset", Error, "No number is set to call from for campaign {campaign}.", "Set TWILIO_FROM, or from in [campaign.{campaign}]."},
	{phone, "balance", fine, OK, "{what} are left.", ""},
	{phone, "balance", "spent", Warning, "{what} are left; Twilio suspends an account that pays in advance and has nothing left.", "Add money, unless the account pays by invoice."},
	{phone, "balance", "untold", OK, "Twilio does not tell this account's balance.", ""},

	{crm, "access", fine, OK, "The token is accepted and contacts can be read.", ""},
	{crm, "access", permission, Error, "The token may not read contacts.", "Give the private app the scopes crm.objects.contacts.read and crm.objects.contacts.write."},
	{crm, "", quota, Warning, "The day's requests of the HubSpot account are used up.", "Nothing: they come back at its midnight, and outcomes are recorded then. See which other apps use them."},
	{crm, "scopes", fine, OK, "The token may read and write contacts and calls.", ""},
	{crm, "scopes", "lacking", Error, "The token lacks {what}, so outcomes cannot be recorded.", "Give the private app the scope under Edit app, Scopes."},
	{crm, "scopes", "untold", Warning, "HubSpot does not tell what this token may do ({why}).", "Make sure that it may read and write contacts; the token of a private app can be looked at."},
	{crm, "properties", fine, OK, "Our properties are there, with unique values.", ""},
	{crm, "properties", "lacking", Error, "Missing in HubSpot, or without unique values: {what}.", "Create them as single-line text and tick that values are unique; uniqueness cannot be added later."},
	{crm, "properties", permission, Warning, "The token may not look at properties.", "Make sure that callagent_contact of contacts and callagent_call of calls exist with unique values."},

	{mail, "", unreachable, Error, "The mail server cannot be reached: {why}.", "Check host and port in SMTP_URL; many networks close port 25."},
	{mail, "", slow, Error, "The mail server does not speak within the time limit.", "Check host and port in SMTP_URL: smtp:// with 587 or smtps:// with 465."},
	{mail, "login", fine, OK, "The log-in works.", ""},
	{mail, "login", "plain", Warning, "The server takes mail, but without encryption.", "Use smtps://, or a server that offers STARTTLS."},
	{mail, "login", key, Error, "The server refuses user or password ({why}).", "Set user and password in SMTP_URL, special characters as %40 and so on; many providers want an app password."},
	{mail, "login", strange, Error, "The server does not take the conversation ({why}).", "Check host and port in SMTP_URL: smtp:// with 587 or smtps:// with 465."},
	{mail, "test alert", missing, Error, "A recipient is refused ({why}).", "Check ALERT_EMAIL_TO."},
	{mail, "test alert", strange, Error, "The mail is refused ({why}).", "See whether ALERT_EMAIL_FROM may send through this server."},
	{chat, "bot", fine, OK, "The token is a bot's.", ""},
	{chat, "bot", key, Error, "The token is refused.", "Set TELEGRAM_BOT_TOKEN to the token that @BotFather gave, digits:letters."},
	{chat, "chat", fine, OK, "The bot sees the chat.", ""},
	{chat, "chat", missing, Error, "The bot does not know the chat ({why}).", "Add the bot to the group, or write it a first message, and set TELEGRAM_CHAT_ID to the chat's number."},
	{chat, "chat", permission, Error, "The bot was blocked or removed from the chat ({why}).", "Unblock it, or add it to the group again."},
	{chat, "chat", "moved", Warning, "The group has become a supergroup with another number.", "Set TELEGRAM_CHAT_ID to {what}."},
	{chat, "test alert", permission, Error, "The bot may not write to the chat ({why}).", "Unblock it, add it to the group again, or make it an administrator of the channel."},
	{hook, "address", fine, OK, "Alerts travel encrypted, or do not leave this network.", ""},
	{hook, "address", "plain", Warning, "ALERT_WEBHOOK_URL begins with http://, so alerts can be read on the way.", "Use an https:// address."},
	{hook, "signature", fine, OK, "Alerts are signed.", ""},
	{hook, "signature", "unsigned", Warning, "Alerts are not signed, so anybody who knows the address can send false ones.", "Set ALERT_WEBHOOK_SECRET here and at the receiver."},
	{hook, "reach", unreachable, Error, "The receiver cannot be reached: {why}.", "Check ALERT_WEBHOOK_URL, and that the receiver runs."},
	{hook, "reach", fine, OK, "The receiver is reached ({why}); that it takes alerts, only one shows: --send-test.", ""},
	{hook, "test alert", key, Error, "The receiver refuses the alert ({why}).", "Set ALERT_WEBHOOK_SECRET to the receiver's own, and see that its clock and this one are right."},
	{hook, "test alert", missing, Error, "The receiver does not know the address ({why}).", "Check ALERT_WEBHOOK_URL."},
	{hook, "reach", missing, Error, "The receiver is gone for good.", "Set a new ALERT_WEBHOOK_URL."},
	{hook, "reach", strange, Error, "The receiver redirects, and alerts follow no redirect.", "Set ALERT_WEBHOOK_URL to the final address."},
	{machine, "alerts", "nobody", Warning, "No channel is set, so nobody is told when something fails.", "Set up email, Telegram or a webhook."},

	{sheet, "spreadsheet", fine, OK, "{what} is shared with {account}. That it may write, only a write shows: share it as editor.", ""},
	{sheet, "spreadsheet", missing, Error, "There is no such spreadsheet.", "Set SHEETS_SPREADSHEET_ID to the id in the spreadsheet's address, between /d/ and /edit."},
	{sheet, "spreadsheet", permission, Error, "The spreadsheet is not shared with us.", "Share it with {account} as editor."},
	{sheet, "spreadsheet", "disabled", Error, "The Google Sheets API is not switched on in the service account's project.", "Enable it in the Google Cloud console: APIs and services, Library."},
	{sheet, "spreadsheet", key, Error, "Google gives {account} no token.", "Make a new key for the account, set GOOGLE_APPLICATION_CREDENTIALS to it, and see that this machine's clock is right."},

	{store, "file", fine, OK, "Calls are kept in {what}.", ""},
	{store, "file", "fresh", OK, "Calls will be kept in {what}, which does not exist yet.", ""},
	{store, "file", missing, Error, "Calls cannot be kept in {what}: its folder does not exist.", "Make the folder, or set another file with --store."},
	{store, "file", permission, Error, "Calls cannot be kept in {what}: {why}.", "See that this user may read and write it, or set another file with --store."},

	{amazon, "", off, Error, "{variable} is not set.", "Take the lines of the stack's output OperatorEnvironment."},
	{amazon, "", key, Error, "AWS does not accept the credentials ({why}).", "See which ones are used: aws sts get-caller-identity, AWS_PROFILE, AWS_REGION."},
	{amazon, "", permission, Error, "The credentials may not look at it ({why}).", "Allow the action that is named to whoever runs the doctor."},
	{amazon, "", missing, Error, "It does not exist in this account and region ({why}).", "Check {variable} and AWS_REGION, or deploy the stack."},
	{amazon, "", fine, OK, "{what} is there, with the right settings.", ""},
	{amazon, "", "different", Error, "{what} is not as callagent needs it: {why}.", "Deploy template.yaml again, which sets it right."},
	{amazon, "secrets", fine, OK, "{what} can be read.", ""},
	{amazon, "secrets", off, Warning, "SECRETS_PATH is not set, so keys were taken from this environment and not from where the functions find them.", "Take the lines of the stack's output OperatorEnvironment."},
	{amazon, "secrets", missing, Error, "There is no parameter below {what}.", "Put the keys there, named like the variables: aws ssm put-parameter --type SecureString --name {what}/OPENAI_API_KEY."},
	{amazon, "settings", fine, OK, "{what} can be read.", ""},
	{amazon, "settings", "different", Error, "{what} cannot be used: {why}.", "Correct the file and upload it again."},
}
