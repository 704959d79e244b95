"""What stands on labels, Indonesian first, English beside it."""

from firmware_config.label_sheet import Words

WORDS = (
    Words(
        how="Bila ada bahaya:",
        button=(
            "Tekan tombolnya sekali.",
            "Tunggu balasan; bila tidak ada, tekan lagi.",
            "Terus tekan sampai dibalas.",
        ),
        strike="Pukulan pertama sudah panggilan. Ulangi sampai lampu menyala:",
        lamps="lampu 1: pos tahu · 2: polisi tahu · 3: berangkat",
        call="Tanpa jawaban, telepon:",
        box="alat",
    ),
    Words(
        how="In danger:",
        button=(
            "Press the button once.",
            "Wait for an answer; if none comes, press again.",
            "Go on until you are answered.",
        ),
        strike="The first strike is a call. Repeat until a lamp lights:",
        lamps="lamp 1: post knows · 2: police know · 3: they come",
        call="No answer? Telephone:",
        box="box",
    ),
)

# What a villager would strike for; AMAN and notices are for the post.
KINDS: dict[str, tuple[str, str]] = {
    "PANIC": ("bahaya apa saja", "any danger"),
    "THEFT": ("maling", "theft"),
    "FIRE": ("kebakaran", "fire"),
    "DISASTER": ("bencana", "disaster"),
    "MURDER": ("pembunuhan", "murder"),
    "LIVESTOCK": ("ternak dicuri", "livestock stolen"),
    "ACCIDENT": ("kecelakaan", "accident"),
    "BRAWL": ("perkelahian", "brawl"),
    "MEDICAL": ("sakit, luka", "medical"),
}
NUMBERS = (
    ("110 polisi · 112 darurat", "110 police · 112 emergency"),
    ("113 pemadam · 119 ambulans", "113 fire · 119 ambulance"),
)
