def test_x(reduced_night):
    for v in reduced_night.visits: print(v.calibration)
