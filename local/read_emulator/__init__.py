"""An emulator of Azure's Read service and the Read container: their wire contract, with a real OCR engine behind it.

    python -m local.read_emulator --port 5000

It reads documents on this machine and sends nothing anywhere. It is for development and tests: official clients work
against it unchanged, but its text is its own engine's, not Azure's.

What its engine cannot do, and the service can: tell handwriting from print (it reads clear handwriting, and calls it
print), read text set in vertical columns, and read scripts other than Latin, Greek letters, Chinese and Japanese (no
Arabic, Hebrew, Devanagari, Cyrillic, Thai or Korean: a warning says so). It reads no Office, HTML or HEIF file.
"""
