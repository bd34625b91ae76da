package cost

import (
	"math"
	"time"
)

// Region is where the prices hold.
const Region = "us-east-1"

// PricedOn is the day when the prices were looked up.
var PricedOn = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// Item is something that AWS charges for by the unit.
type Item string

// The items. What is missing here, such as SSM parameters of the standard tier,
// the account's default keys and the first SNS mails of alarms, costs nothing
// that one notices.
const (
	LambdaTime    Item = "lambda_gb_seconds"
	LambdaRuns    Item = "lambda_runs"
	WriteUnits    Item = "dynamodb_write_units"
	ReadUnits     Item = "dynamodb_read_units"
	QueueRequests Item = "sqs_requests"
	ScheduleRuns  Item = "scheduler_runs"
	ObjectWrites  Item = "s3_writes"
	ObjectReads   Item = "s3_reads"
	ObjectStorage Item = "s3_gb_months"
	Internet      Item = "internet_gb"
	LogBytes      Item = "log_gb"
	Metrics       Item = "metric_months"
	Alarms        Item = "alarm_months"
)

// Price is what an item costs in Region, on demand.
type Price struct {
	Item    Item    `json:"item"`
	Name    string  `json:"name"`    // with its unit, for people
	Dollars float64 `json:"dollars"` // for Per of them
	Per     float64 `json:"per"`
	Free    string  `json:"free,omitempty"` // what an account has free each month; no bill here takes it off
	Page    string  `json:"page"`           // the vendor's own page with the price
}

// Prices are all prices, in the order of bills.
func Prices() []Price {
	const million = 1e6
	return []Price{
		{LambdaTime, "Lambda, GB-s on arm64", 13.3334, million, "400,000", "https://aws.amazon.com/lambda/pricing/"},
		{LambdaRuns, "Lambda, runs", 0.20, million, "1,000,000", "https://aws.amazon.com/lambda/pricing/"},
		{WriteUnits, "DynamoDB, write units", 0.625, million, "", "https://aws.amazon.com/dynamodb/pricing/on-demand/"},
		{ReadUnits, "DynamoDB, read units", 0.125, million, "", "https://aws.amazon.com/dynamodb/pricing/on-demand/"},
		{QueueRequests, "SQS, requests", 0.40, million, "1,000,000", "https://aws.amazon.com/sqs/pricing/"},
		{ScheduleRuns, "EventBridge Scheduler, runs", 1.00, million, "14,000,000", "https://aws.amazon.com/eventbridge/pricing/"},
		{ObjectWrites, "S3, writes", 0.005, 1000, "", "https://aws.amazon.com/s3/pricing/"},
		{ObjectReads, "S3, reads", 0.0004, 1000, "", "https://aws.amazon.com/s3/pricing/"},
		{ObjectStorage, "S3, GB for a month", 0.023, 1, "", "https://aws.amazon.com/s3/pricing/"},
		{Internet, "data to the internet, GB", 0.09, 1, "100", "https://aws.amazon.com/ec2/pricing/on-demand/"},
		{LogBytes, "CloudWatch, GB of logs", 0.50, 1, "5", "https://aws.amazon.com/cloudwatch/pricing/"},
		{Metrics, "CloudWatch, metrics for a month", 0.30, 1, "10", "https://aws.amazon.com/cloudwatch/pricing/"},
		{Alarms, "CloudWatch, alarms for a month", 0.10, 1, "10", "https://aws.amazon.com/cloudwatch/pricing/"},
	}
}

// Usage is how much of each item is used.
type Usage map[Item]float64

// add adds another usage so many times; a negative number takes it away.
func (u Usage) add(times float64, other Usage) {
	for item, n := range other {
		u[item] += times * n
	}
}

// Bill is a usage with what it costs, nothing free taken off.
type Bill struct {
	Lines   []Line  `json:"lines"`
	Dollars float64 `json:"dollars"`
}

// Line is one item of a bill.
type Line struct {
	Item     Item    `json:"item"`
	Name     string  `json:"name"`
	Quantity float64 `json:"quantity"`
	Dollars  float64 `json:"dollars"`
}

// nothing is what is left of a quantity that was added and taken away again.
const nothing = 1e-9

// bill prices a usage. Items that are not used have no line.
func (u Usage) bill() Bill {
	b := Bill{Lines: []Line{}}
	for _, p := range Prices() {
		if n := u[p.Item]; math.Abs(n) > nothing {
			l := Line{p.Item, p.Name, n, n * p.Dollars / p.Per}
			b.Lines, b.Dollars = append(b.Lines, l), b.Dollars+l.Dollars
		}
	}
	return b
}
