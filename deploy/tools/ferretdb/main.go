// Command ferretdb serves the MongoDB wire protocol on a loopback address and
// keeps the data in SQLite files. It stands in for MongoDB where no mongod can
// be installed: for correctness tests, not for measurements of speed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const ferretModule = "github.com/FerretDB/FerretDB"

type settings struct {
	listen  string
	state   string
	version bool
}

func main() {
	var chosen settings
	flag.StringVar(&chosen.listen, "listen", "127.0.0.1:27017", "loopback `ADDRESS` to serve; port 0 picks a free one")
	flag.StringVar(&chosen.state, "state", "", "`DIRECTORY` of the SQLite files, made when missing")
	flag.BoolVar(&chosen.version, "version", false, "print the version and end")
	flag.Parse()
	if err := run(chosen, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM arrives.
func run(chosen settings, rest []string) error {
	if chosen.version {
		fmt.Println(moduleVersion())
		return nil
	}
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q", rest[0])
	}
	if err := requireLoopback(chosen.listen); err != nil {
		return err
	}
	directory, err := prepareState(chosen.state)
	if err != nil {
		return err
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: chosen.listen},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Handler:   "sqlite",
		SQLiteURL: "file:" + directory + "/",
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// MongoDBURI waits for the listener, so the line is printed once the
	// address, which may have been port 0, is known and accepts connections.
	go func() { fmt.Println("listening on", server.MongoDBURI()) }()
	return server.Run(ctx)
}

// requireLoopback refuses an address that other machines could reach: the
// server asks for no password.
func requireLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-listen: %q is no loopback address", host)
	}
	return nil
}

func prepareState(directory string) (string, error) {
	if directory == "" {
		return "", errors.New("-state: a directory is needed")
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return "", fmt.Errorf("-state: %w", err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return "", fmt.Errorf("-state: %w", err)
	}
	return absolute, nil
}

// moduleVersion reads the version of the embedded server from the build.
func moduleVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range build.Deps {
			if dependency.Path == ferretModule {
				return dependency.Version
			}
		}
	}
	return "unknown"
}
