"""What Python's tokenizer makes of characters and of texts: the data of the TypeScript one, and what proves it."""

import hashlib
import json
import random
from itertools import groupby

import tokenizers
from tokenizers import Tokenizer

PRODUCER = f"tokenizers {tokenizers.__version__} (Python)"

#: Every code point that UTF-8 can carry.
CODE_POINTS = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
BLOCK = 4096

#: What random texts are made of. Each string is a set of single characters, each list one of pieces.
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    " \t\n\r\u00a0\u2003\u3000\u200b\ufeff\u0085",
    ".,;:!?'\"()[]{}<>#@$%^&*-_=+|\\/~`«»„“…—‰§¶·¿¡",
    "àéîõüñçøåßæœłđžšİıſÅ",
    "αβγδεζηθικλμνξοπρσςτυφχψωΣΆΈΎΏϊΐ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяЁЙЇ",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي\u064b\u064e\u0651\u0640؟،",
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת\u05b0\u05b7",
    "अआइईउऊकखगघचछजझ\u093e\u093f\u0940\u094d\u0902।",
    "กขคงจฉชซฌญ\u0e31\u0e34\u0e48\u0e49๏",
    "가각간한국어서울특별시힣",
    "あいうえおカキクケコガパ゛ー。、「」",
    "今天天气很好東京都市日本中国人豈更車𠀀𠮷𪜀𫝀𫠠丽",
    "\u0300\u0301\u0308\u0327\u0342\u035c\u0489\u1ab0\u20dd\ufe0f\U0001d165",
    ["😀", "🚀", "👩‍💻", "👍🏽", "🇩🇪", "❤️", "1️⃣", "𝒳", "𝟘", "½", "²", "™", "€", "≠", "ﬁ", "Ⅷ", "①"],
    ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[cls]", "[ SEP ]", "##ing", "[unused1]"],
    ["the", "release", "canary", "embedding", "unbelievably", "Straße", "naïve", "don't", "e-mail", "v1.2.3"],
    "\0\x01\x1f\x7f\u00ad\u061c\u200e\u2028\ue000\ufffd\U000e0001\U0010ffff",
]

WRITTEN = [
    "",
    " \t\n ",
    "A release is a promise: it says which bytes will answer.",
    "ΑΣ ας ΣΑΣ. ὈΔΥΣΣΕΎΣ",
    "e\u0301 \u00e9 e\u0323\u0301 e\u0301\u0323 \u1e69 s\u0323\u0307",
    "Z\u0351\u036b\u0343a\u0341\u0300lgo\u0489 te\u0336x\u0336t",
    "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏿 🇺🇳 ☺︎ ☺️",
    "今天天气很好。東京タワー 서울특별시 𠮷野家 豈更",
    "[CLS] a [SEP][SEP]b[MASK]c [sep] [ MASK ] [[CLS]]",
    "x" * 100,
    "x" * 101,
    "𝒳" * 100 + " " + "𝒳" * 101,
    "é" * 100 + " " + "é" * 101,
    "天" * 300,
    "the quick brown fox jumps over the lazy dog; " * 40,
    "q" * 99 + "ꟁ",
    "word " * 254,
    "word " * 255,
]


def characters(tokenizer: Tokenizer) -> bytes:
    """characters.json: the code points that are dropped, that are spaces, and that stand alone, as ranges in hexadecimal."""
    normalise, split = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str
    alike = {code: normalise(chr(code)) for code in CODE_POINTS}
    kinds = {
        "dropped": [code for code, text in alike.items() if text == ""],
        "space": [code for code, text in alike.items() if text == " "],
        "alone": [
            code
            for code, text in alike.items()
            if len(text) > 2 and text[0] == text[-1] == " " or text == chr(code) and len(split(f"a{text}b")) == 3
        ],
    }
    content = {"source": f"The normalizer and pre-tokenizer of {PRODUCER}, asked about every code point"}
    content |= {kind: " ".join(ranges(codes)) for kind, codes in kinds.items()}
    return f"{json.dumps(content, indent=2)}\n".encode()


def ranges(codes: list[int]) -> list[str]:
    runs = [[code for _, code in run] for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0])]
    return [f"{run[0]:x}" if len(run) == 1 else f"{run[0]:x}-{run[-1]:x}" for run in runs]


def fixture(tokenizer: Tokenizer) -> str:
    """Texts with their ids, and for each block of code points a digest over the ids of a text with each."""
    texts = [*WRITTEN, *random_texts(150)]
    rows = ",\n".join(json.dumps([text, tokenizer.encode(text).ids]) for text in texts)
    digests = ",\n".join(json.dumps(block_digest(tokenizer, first)) for first in range(0, 0x110000, BLOCK))
    return (
        f'{{"producer": {json.dumps(PRODUCER)},\n"texts": [\n{rows}\n],\n'
        f'"blockSize": {BLOCK},\n"blocks": [\n{digests}\n]}}\n'
    )


def random_texts(count: int) -> list[str]:
    source = random.Random(256)
    texts = []
    for _ in range(count):
        alphabets = source.sample(ALPHABETS, source.randint(1, 4))
        texts.append("".join(source.choice(source.choice(alphabets)) for _ in range(source.randint(1, 80))))
    return texts


def block_digest(tokenizer: Tokenizer, first: int) -> str:
    hash = hashlib.sha256()
    for code in range(first, first + BLOCK):
        if not 0xD800 <= code < 0xE000:
            ids = tokenizer.encode(f"a{chr(code)}b {chr(code)}").ids
            hash.update(f"{','.join(map(str, ids))}\n".encode())
    return hash.hexdigest()
