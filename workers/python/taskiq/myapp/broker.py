"""The application's broker, with the task that runs Wove's payloads: both sides import it."""

from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

from wove.integrations.taskiq import register

URL = "redis://redis:6379/0"

broker = ListQueueBroker(URL, queue_name="reports").with_result_backend(
    RedisAsyncResultBackend(URL, result_ex_time=3600)
)
register(broker)
