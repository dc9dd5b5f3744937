package kafka

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Keys of the APIs that are told apart.
const (
	keyProduce         = 0
	keyFetch           = 1
	keyOffsetCommit    = 8
	keyOffsetFetch     = 9
	keyJoinGroup       = 11
	keyHeartbeat       = 12
	keySyncGroup       = 14
	keyAPIVersions     = 18
	keyTxnOffsetCommit = 28
	keyListOffsets     = 2
	keyMetadata        = 3
	keyShareFetch      = 78
	keyShareAck        = 79
	keyMax             = 94
	neverThrottled     = -1
	neverFlexible      = 1 << 14
	throttledAlways    = 0
	flexibleAlways     = 0
	maxBody            = 128 << 20 // bytes of a message; brokers take 100 MiB by default
	unknownVersion     = 127       // no API has come anywhere near
	requestHeadBytes   = 14        // size, key, version, correlation id, length of the client id
	lengthBytes        = 4
)

// api is what has to be known of a kind of request.
type api struct {
	operation string // empty: there is no such API
	newest    int16  // version whose form is known
	flexible  int16  // first version with compact encodings
	throttle  int16  // first version whose response begins with how long the client is throttled
	class     exchange.Class
	request   func(*reader, *Facts) // reads the body; nil: nothing of it is of interest
	response  func(*reader, *Facts)
}

// flexibleFrom tells whether a version has compact encodings.
func (a *api) isFlexible(version int16) bool { return version >= a.flexible }

// apis are the APIs by their keys. A response with the error code first is one
// that readError reads.
var apis = [keyMax + 1]api{
	keyProduce:         {"produce", 13, 9, neverThrottled, exchange.Unary, produceRequest, produceResponse},
	keyFetch:           {"fetch", 18, 12, 1, exchange.Unary, fetchRequest, fetchResponse},
	keyListOffsets:     {"list_offsets", 11, 6, 2, exchange.Unary, listOffsetsRequest, listOffsetsResponse},
	keyMetadata:        {"metadata", 13, 9, 3, exchange.Unary, metadataRequest, metadataResponse},
	4:                  {"leader_and_isr", 7, 4, neverThrottled, exchange.Unary, nil, readError},
	5:                  {"stop_replica", 4, 2, neverThrottled, exchange.Unary, nil, readError},
	6:                  {"update_metadata", 8, 6, neverThrottled, exchange.Unary, nil, readError},
	7:                  {"controlled_shutdown", 3, 3, neverThrottled, exchange.Unary, nil, readError},
	keyOffsetCommit:    {"offset_commit", 10, 8, 3, exchange.Unary, offsetCommitRequest, offsetCommitResponse},
	keyOffsetFetch:     {"offset_fetch", 10, 6, 3, exchange.Unary, offsetFetchRequest, offsetFetchResponse},
	10:                 {"find_coordinator", 6, 3, 1, exchange.Unary, findCoordinatorRequest, findCoordinatorResponse},
	keyJoinGroup:       {"join_group", 9, 6, 2, exchange.Wait, readGroup, readError},
	keyHeartbeat:       {"heartbeat", 4, 4, 1, exchange.Probe, readGroup, readError},
	13:                 {"leave_group", 5, 4, 1, exchange.Unary, readGroup, readError},
	keySyncGroup:       {"sync_group", 5, 4, 1, exchange.Wait, readGroup, readError},
	15:                 {"describe_groups", 6, 5, 1, exchange.Unary, nil, nil},
	16:                 {"list_groups", 5, 3, 1, exchange.Unary, nil, readError},
	17:                 {"sasl_handshake", 1, neverFlexible, neverThrottled, exchange.Unary, nil, readError},
	keyAPIVersions:     {"api_versions", 5, 3, neverThrottled, exchange.Unary, nil, readError},
	19:                 {"create_topics", 7, 5, 2, exchange.Unary, createTopicsRequest, createTopicsResponse},
	20:                 {"delete_topics", 6, 4, 1, exchange.Unary, nil, deleteTopicsResponse},
	21:                 {"delete_records", 2, 2, throttledAlways, exchange.Unary, nil, nil},
	22:                 {"init_producer_id", 6, 2, throttledAlways, exchange.Unary, nil, readError},
	23:                 {"offset_for_leader_epoch", 4, 4, 2, exchange.Unary, nil, nil},
	24:                 {"add_partitions_to_txn", 5, 3, throttledAlways, exchange.Unary, nil, nil},
	25:                 {"add_offsets_to_txn", 4, 3, throttledAlways, exchange.Unary, nil, readError},
	26:                 {"end_txn", 5, 3, throttledAlways, exchange.Unary, nil, readError},
	27:                 {"write_txn_markers", 2, 1, neverThrottled, exchange.Unary, nil, nil},
	keyTxnOffsetCommit: {"txn_offset_commit", 6, 3, throttledAlways, exchange.Unary, txnOffsetCommitRequest, offsetCommitResponse},
	29:                 {"describe_acls", 3, 2, throttledAlways, exchange.Unary, nil, readError},
	30:                 {"create_acls", 3, 2, throttledAlways, exchange.Unary, nil, nil},
	31:                 {"delete_acls", 3, 2, throttledAlways, exchange.Unary, nil, nil},
	32:                 {"describe_configs", 4, 4, throttledAlways, exchange.Unary, nil, nil},
	33:                 {"alter_configs", 2, 2, throttledAlways, exchange.Unary, nil, nil},
	34:                 {"alter_replica_log_dirs", 2, 2, throttledAlways, exchange.Unary, nil, nil},
	35:                 {"describe_log_dirs", 5, 2, throttledAlways, exchange.Unary, nil, nil},
	36:                 {"sasl_authenticate", 2, 2, neverThrottled, exchange.Unary, nil, readError},
	37:                 {"create_partitions", 3, 2, throttledAlways, exchange.Unary, nil, nil},
	38:                 {"create_delegation_token", 3, 2, neverThrottled, exchange.Unary, nil, readError},
	39:                 {"renew_delegation_token", 2, 2, neverThrottled, exchange.Unary, nil, readError},
	40:                 {"expire_delegation_token", 2, 2, neverThrottled, exchange.Unary, nil, readError},
	41:                 {"describe_delegation_token", 3, 2, neverThrottled, exchange.Unary, nil, readError},
	42:                 {"delete_groups", 2, 2, throttledAlways, exchange.Unary, nil, nil},
	43:                 {"elect_leaders", 2, 2, throttledAlways, exchange.Unary, nil, nil},
	44:                 {"incremental_alter_configs", 1, 1, throttledAlways, exchange.Unary, nil, nil},
	45:                 {"alter_partition_reassignments", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	46:                 {"list_partition_reassignments", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	47:                 {"offset_delete", 0, neverFlexible, neverThrottled, exchange.Unary, readGroup, readError},
	48:                 {"describe_client_quotas", 1, 1, throttledAlways, exchange.Unary, nil, readError},
	49:                 {"alter_client_quotas", 1, 1, throttledAlways, exchange.Unary, nil, nil},
	50:                 {"describe_user_scram_credentials", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	51:                 {"alter_user_scram_credentials", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	52:                 {"vote", 2, flexibleAlways, neverThrottled, exchange.Unary, nil, readError},
	53:                 {"begin_quorum_epoch", 1, 1, neverThrottled, exchange.Unary, nil, readError},
	54:                 {"end_quorum_epoch", 1, 1, neverThrottled, exchange.Unary, nil, readError},
	55:                 {"describe_quorum", 2, flexibleAlways, neverThrottled, exchange.Unary, nil, readError},
	56:                 {"alter_partition", 3, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	57:                 {"update_features", 2, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	58:                 {"envelope", 0, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	59:                 {"fetch_snapshot", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	60:                 {"describe_cluster", 2, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	61:                 {"describe_producers", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	62:                 {"broker_registration", 4, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	63:                 {"broker_heartbeat", 2, flexibleAlways, throttledAlways, exchange.Probe, nil, readError},
	64:                 {"unregister_broker", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	65:                 {"describe_transactions", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	66:                 {"list_transactions", 2, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	67:                 {"allocate_producer_ids", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	68:                 {"consumer_group_heartbeat", 1, flexibleAlways, throttledAlways, exchange.Probe, readGroup, readError},
	69:                 {"consumer_group_describe", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	70:                 {"controller_registration", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	71:                 {"get_telemetry_subscriptions", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	72:                 {"push_telemetry", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	73:                 {"assign_replicas_to_dirs", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	74:                 {"list_config_resources", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	75:                 {"describe_topic_partitions", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	76:                 {"share_group_heartbeat", 1, flexibleAlways, throttledAlways, exchange.Probe, readGroup, readError},
	77:                 {"share_group_describe", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	keyShareFetch:      {"share_fetch", 2, flexibleAlways, throttledAlways, exchange.Wait, readGroup, readError},
	keyShareAck:        {"share_acknowledge", 2, flexibleAlways, throttledAlways, exchange.Unary, readGroup, readError},
	80:                 {"add_raft_voter", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	81:                 {"remove_raft_voter", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	82:                 {"update_raft_voter", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	83:                 {"initialize_share_group_state", 0, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	84:                 {"read_share_group_state", 0, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	85:                 {"write_share_group_state", 1, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	86:                 {"delete_share_group_state", 0, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	87:                 {"read_share_group_state_summary", 1, flexibleAlways, neverThrottled, exchange.Unary, nil, nil},
	88:                 {"streams_group_heartbeat", 1, flexibleAlways, throttledAlways, exchange.Probe, readGroup, readError},
	89:                 {"streams_group_describe", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	90:                 {"describe_share_group_offsets", 1, flexibleAlways, throttledAlways, exchange.Unary, nil, nil},
	91:                 {"alter_share_group_offsets", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
	92:                 {"delete_share_group_offsets", 0, flexibleAlways, throttledAlways, exchange.Unary, nil, readError},
}

// apiOf returns the API of a key, nil when there is none.
func apiOf(key int16) *api {
	if key < 0 || key > keyMax || apis[key].operation == "" {
		return nil
	}
	return &apis[key]
}

// readGroup reads the group that a request names first.
func readGroup(r *reader, f *Facts) { f.setGroup(r.text()) }

// readError reads the error code that a response begins with.
func readError(r *reader, f *Facts) { f.fail(r.int16()) }
