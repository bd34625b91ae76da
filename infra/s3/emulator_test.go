//go:build integration

package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"callagent/core/agent"
	"callagent/core/agent/mediatest"
	"callagent/core/fault"
)

// emulator is a client of the server that AWS_ENDPOINT_URL names.
func emulator(t *testing.T) *s3.Client {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("set AWS_ENDPOINT_URL to the emulator's address, or run: make integration")
	}
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// create makes a bucket for one test.
func create(t *testing.T, client *s3.Client) (bucket string) {
	t.Helper()
	bucket = fmt.Sprintf("test-%x", rand.Uint64())
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(context.Background(), client, bucket); err != nil {
			t.Error(err)
		}
	})
	return bucket
}

// remove empties a bucket of a few objects and deletes it.
func remove(ctx context.Context, client *s3.Client, bucket string) error {
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		return err
	}
	for _, o := range list.Contents {
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: o.Key}); err != nil {
			return err
		}
	}
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(bucket)})
	return err
}

func TestMedia(t *testing.T) {
	client := emulator(t)
	open := func(t *testing.T) agent.Media {
		return New(client, Config{Bucket: create(t, client), Prefix: "media/"})
	}
	mediatest.Run(t, open)
	t.Run("links", func(t *testing.T) { mediatest.Links(t, open) })
}

func TestKeysHaveThePrefix(t *testing.T) {
	client := emulator(t)
	bucket := create(t, client)
	ref, err := New(client, Config{Bucket: bucket, Prefix: "media/"}).Put(t.Context(), "audio/a.mp3", "audio/mpeg", []byte("sound"))
	if err != nil || ref != "audio/a.mp3" {
		t.Fatalf("%q, %v", ref, err)
	}
	if data, err := ReadObject(t.Context(), client, "s3://"+bucket+"/media/audio/a.mp3"); err != nil || string(data) != "sound" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := New(client, Config{Bucket: bucket}).Get(t.Context(), ref); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the prefix: %v", err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	client := emulator(t)
	address := "s3://" + create(t, client) + "/callagent.toml"
	if _, err := ReadObject(t.Context(), client, address); !errors.Is(err, fs.ErrNotExist) || err.Error() != "s3: there is no object "+address+": file does not exist" {
		t.Errorf("no object: %v", err)
	}
	m := New(client, Config{Bucket: "no-such-bucket"})
	_, putErr := m.Put(t.Context(), "a", "", []byte("x"))
	_, getErr := m.Get(t.Context(), "a")
	for _, err := range []error{putErr, getErr} {
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Kind != fault.NotFound || f.Scope != fault.Account || f.Code != "NoSuchBucket" || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no bucket: %v", err)
		}
	}
}
