"""Runs the functions of LocalStack as processes of this machine, without containers.

LocalStack chooses its executor by LAMBDA_RUNTIME_EXECUTOR; this one is called
"process". It starts the `bootstrap` of a function on a provided.* runtime and
serves it the Lambda Runtime API on a loopback port, one process for each
environment. Layers, extensions, memory limits and isolation are not there.
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

NO_SUCH_INVOCATION = 400


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        return ProcessRuntimeExecutor


class RuntimeAPI(BaseHTTPRequestHandler):
    """The Lambda Runtime API of one sandbox, which is an attribute of a subclass."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer takes 40 ms more
    sandbox = None

    def log_message(self, *args):
        pass

    def do_GET(self):  # /2018-06-01/runtime/invocation/next
        job = self.sandbox.next_job()
        if job is None:
            return self.answer(410)
        self.answer(
            200,
            job["payload"].encode(),
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": job["invoke-id"],
                "Lambda-Runtime-Invoked-Function-Arn": job["invoked-function-arn"],
                "Lambda-Runtime-Trace-Id": job["trace-id"],
                "Lambda-Runtime-Deadline-Ms": str(job["deadline-ms"]),
            },
        )

    def do_POST(self):  # .../init/error, .../invocation/ID/response, .../invocation/ID/error
        body, parts = self.body(), self.path.strip("/").split("/")
        if parts[2] == "init":
            self.sandbox.init_failed(body)
        elif not self.sandbox.finish(parts[3], body, parts[4] == "error"):
            return self.answer(NO_SUCH_INVOCATION)
        self.answer(202, b'{"status":"OK"}')

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Sandbox:
    """One process of a function. It takes one invocation at a time."""

    def __init__(self, folder, env):
        self.jobs, self.ready, self.pending = queue.Queue(), Future(), {}
        self.lock = threading.Lock()
        self.log = tempfile.TemporaryFile()
        handler = type("SandboxAPI", (RuntimeAPI,), {"sandbox": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.process = self.launch(folder, env)
        threading.Thread(target=self.wait, daemon=True).start()

    def launch(self, folder, env):
        program = os.path.join(folder, "bootstrap")
        os.chmod(program, 0o755)
        env = {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            **{name: str(value) for name, value in env.items()},
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
            "LAMBDA_TASK_ROOT": str(folder),
            "EMULATOR_FOLDER": os.environ.get("EMULATOR_FOLDER", ""),  # by which `down` knows it
        }
        return subprocess.Popen(
            [program],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self):
        """Fails whatever the process left undone when it ended."""
        status = self.process.wait()
        body = error("Runtime.ExitError", f"Runtime exited with status {status}")
        self.init_failed(body)
        for invocation in list(self.pending):
            self.finish(invocation, body, True)

    def next_job(self):
        with self.lock:
            if not self.ready.done():
                self.ready.set_result(True)
        return self.jobs.get()

    def init_failed(self, body):
        with self.lock:
            if not self.ready.done():
                self.ready.set_exception(StatusErrorException("init failed", payload=body))

    def finish(self, invocation, body, is_error):
        """Says whether this invocation was still waited for."""
        with self.lock:
            result = self.pending.pop(invocation, None)
        if result is None:
            return False
        result.set_result((body, is_error))
        return True

    def invoke(self, job, limit):
        """Gives the answer and whether it is an error. After limit seconds the process is killed."""
        invocation = job["invoke-id"]
        result = self.pending[invocation] = Future()
        self.jobs.put({**job, "deadline-ms": int((time.time() + limit) * 1000)})
        if not self.alive():  # it ended before it could see the job
            self.finish(invocation, error("Runtime.ExitError", "Runtime exited"), True)
        try:
            return result.result(timeout=limit)
        except FutureTimeout:
            self.stop()
            message = f"RequestId: {invocation} Error: Task timed out after {limit:.2f} seconds"
            return error("Sandbox.Timedout", message), True

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        self.jobs.put(None)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.server.shutdown()
        self.server.server_close()

    def log_size(self):
        return os.fstat(self.log.fileno()).st_size

    def log_from(self, start):
        return os.pread(self.log.fileno(), 1 << 20, start).decode(errors="replace")


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One environment of a function: a sandbox, and another when that one has died."""

    sandbox = None

    def start(self, env_vars):
        self.env = env_vars
        self.launch()

    def launch(self):
        folder = self.function_version.config.code.get_unzipped_code_location()
        self.sandbox = Sandbox(folder, self.env)
        self.sandbox.ready.result(timeout=config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT)

    def stop(self):
        if self.sandbox:
            self.sandbox.stop()

    def invoke(self, payload):
        if not self.sandbox.alive():
            self.sandbox.stop()
            self.launch()
        sandbox, invocation = self.sandbox, payload["invoke-id"]
        log_start, start = sandbox.log_size(), time.monotonic()
        body, is_error = sandbox.invoke(payload, self.function_version.config.timeout)
        took = (time.monotonic() - start) * 1000
        logs = (
            f"START RequestId: {invocation} Version: {self.function_version.id.qualifier}\n"
            f"{sandbox.log_from(log_start)}"
            f"END RequestId: {invocation}\n"
            f"REPORT RequestId: {invocation}\tDuration: {took:.2f} ms\n"
        )
        return InvocationResult(invocation, body, is_error, logs)

    def get_logs(self):
        return self.sandbox.log_from(0) if self.sandbox else ""

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


def error(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
