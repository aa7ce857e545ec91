from model.evaluate.cost import memory_table, speed_table


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_dense_keeps_every_token_and_sparse_does_not(window, inpainter):
    rows = [cells(line) for line in speed_table([window], inpainter, rounds=1).splitlines()[2:]]
    assert [row[1] for row in rows] == ["k = 1", "k = 3", "k = 5", "all"]
    assert rows[-1][2] == "100.0%"
    assert rows[0][2] == "6.2%"  # 3x2 of 8x12 tokens
    assert rows[-1][-3:] == ["1.00x", "1.00x", "+0.00"]


def test_a_fill_takes_memory_of_its_own(weights):
    rows = [cells(line) for line in memory_table(str(weights), ((2, 240, 320),)).splitlines()[2:]]
    assert [row[0] for row in rows] == ["2 frames of 320x240", "2 frames of 320x240, frugal"]
    for row in rows:
        window, own, peak, ms = map(float, row[1:])
        assert window <= 0.01
        assert 0 <= own < peak
        assert ms > 0
