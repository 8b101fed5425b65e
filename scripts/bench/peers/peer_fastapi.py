"""FastAPI on uvicorn, without keys, metrics, traces, limits or logs: python peer_fastapi.py <port>."""

import sys

import uvicorn
from fastapi import FastAPI
from peer_model import Request, Response, answer, open_session

session = open_session()
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    return answer(session, request.features)


uvicorn.run(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    access_log=False,
    log_level="error",
)
