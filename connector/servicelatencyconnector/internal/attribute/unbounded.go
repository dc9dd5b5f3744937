package attribute

// unbounded are attributes that have a value of their own for every client,
// connection or request. As a dimension each of them makes a series per value.
var unbounded = []Pattern{
	"*.address", "*.port", "*.ip", "*.addr", "*.peer.name", "*.trace_id", "*.span_id",
	"net.*", "http.client_ip", "http.url", "http.target", "http.user_agent",
	"url.full", "url.path", "url.query", "user_agent.original",
	"db.query.text", "db.statement", "db.query.parameter.*", "db.operation.parameter.*", "db.connection_string",
	"*.message.id", "*.message.conversation_id", "*.conversation.id", "session.id", "*.session.id",
	"enduser.id", "user.id", "user.email", "thread.id", "*.pid", "exception.message", "exception.stacktrace",
}

// bounded are the exceptions.
var bounded = []Pattern{"service.peer.name"}

// Unbounded reports whether an attribute is known to take a value per address,
// connection, user or request, so that it must not become a dimension unasked.
func Unbounded(name string) bool {
	return MatchAny(unbounded, name) && !MatchAny(bounded, name)
}
