package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sys/unix"
)

// outcome is the client's record of a command: its name with the code of its
// error, and when it began and was over, in ns since boot.
type outcome struct {
	Method     string
	Status     int
	Start, End uint64
}

func bootNow() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		log.Fatal(err)
	}
	return uint64(ts.Nano())
}

// recorder notes what is done.
type recorder struct{ all []outcome }

func (r *recorder) did(command string, do func() error) {
	o := outcome{Method: command, Status: 1, Start: bootNow()}
	err := do()
	o.End = bootNow()
	var failed mongo.ServerError
	if errors.As(err, &failed) && len(failed.ErrorCodes()) > 0 {
		o.Method += " " + strconv.Itoa(failed.ErrorCodes()[0])
	} else if err != nil {
		log.Fatal(command, err)
	}
	r.all = append(r.all, o)
}

// client does n rounds of commands on one connection. After the first it says
// "ready" and waits for a line of input.
func client(addr, rounds string) {
	n, err := strconv.Atoi(rounds)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	c, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).SetMaxPoolSize(1).SetRetryWrites(false))
	if err != nil {
		log.Fatal(err)
	}
	orders := c.Database("shop").Collection("orders")
	var r recorder
	r.did("drop", func() error { return orders.Drop(ctx) })
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		log.Fatal(err)
	}
	r.all = nil
	for i := range n {
		r.round(ctx, orders, i)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r.all); err != nil {
		log.Fatal(err)
	}
}

func (r *recorder) round(ctx context.Context, orders *mongo.Collection, i int) {
	id := bson.M{"_id": i}
	insert := func() error {
		_, err := orders.InsertOne(ctx, bson.M{"_id": i, "text": strings.Repeat("planted-secret", 1+i%7*500)})
		return err
	}
	r.did("insert", insert)
	r.did("insert", insert)
	r.did("insert", func() error {
		_, err := orders.InsertMany(ctx, []any{bson.M{"round": i}, bson.M{"round": i}, bson.M{"round": i}})
		return err
	})
	r.did("find", func() error { return orders.FindOne(ctx, id).Err() })
	r.did("find", func() error { return orders.FindOne(ctx, bson.M{"$nonsense": i}).Err() })
	r.did("update", func() error {
		_, err := orders.UpdateMany(ctx, bson.M{"round": i}, bson.M{"$set": bson.M{"text": "planted-secret"}})
		return err
	})
	r.did("aggregate", func() error {
		_, err := orders.CountDocuments(ctx, bson.M{"round": i})
		return err
	})
	r.did("delete", func() error {
		_, err := orders.DeleteOne(ctx, bson.M{"round": i})
		return err
	})
}
