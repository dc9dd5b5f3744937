// Command mongodb is a MongoDB server, FerretDB over SQLite, and a client with
// the official driver that keeps a record: what tests of MongoDB's wire protocol
// are made with. It is a module of its own, so that neither is a requirement of
// the product.
package main

import (
	"context"
	"log"
	"os"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	switch args := os.Args[1:]; {
	case len(args) == 3 && args[0] == "client":
		client(args[1], args[2])
	case len(args) == 3 && args[0] == "serve":
		serve(ferretdb.ListenerConfig{TCP: args[1]}, args[2])
	case len(args) == 5 && args[0] == "serve":
		serve(ferretdb.ListenerConfig{TLS: args[1], TLSCertFile: args[3], TLSKeyFile: args[4]}, args[2])
	default:
		log.Fatal("usage: mongodb serve ADDRESS DIRECTORY [CERTIFICATE KEY] | mongodb client ADDRESS[/?OPTIONS] N")
	}
}

// serve serves until it is killed.
func serve(at ferretdb.ListenerConfig, dir string) {
	db, err := ferretdb.New(&ferretdb.Config{Listener: at, Handler: "sqlite", SQLiteURL: "file:" + dir + "/"})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Run(context.Background()); err != nil {
		log.Print(err)
	}
}
