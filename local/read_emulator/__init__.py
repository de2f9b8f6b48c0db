"""An emulator of Azure's Read service and the Read container: their wire contract, with a real OCR engine behind it.

    python -m local.read_emulator --port 5000

It reads documents on this machine and sends nothing elsewhere. It is for development and tests: official clients work
against it unchanged, but its text comes from its own engine, not Azure's.

Unlike the service, its engine cannot tell handwriting from print (it reads clear handwriting, and reports it as
print), read text in vertical columns, or read scripts other than Latin, Greek letters, Chinese and Japanese (no
Arabic, Hebrew, Devanagari, Cyrillic, Thai or Korean: a warning says so). It reads no Office, HTML or HEIF files.
"""
