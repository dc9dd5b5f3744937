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
	if len(os.Args) != 4 {
		log.Fatal("usage: mongodb serve ADDRESS DIRECTORY | mongodb client ADDRESS N")
	}
	if os.Args[1] == "client" {
		client(os.Args[2], os.Args[3])
		return
	}
	serve(os.Args[2], os.Args[3])
}

// serve serves until it is killed.
func serve(addr, dir string) {
	db, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: addr}, Handler: "sqlite", SQLiteURL: "file:" + dir + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Run(context.Background()); err != nil {
		log.Print(err)
	}
}
