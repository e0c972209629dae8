"""The words demonstration data is made of: common Vietnamese names, places and goods."""

FAMILY = (
    *("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng"),
    *("Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Mai", "Cao"),
)
WOMEN = (
    *("Thị Bích Ngọc", "Thu Trang", "Thị Hà", "Minh Châu", "Thanh Thảo", "Thị Mai", "Ngọc Ánh"),
    *("Hồng Nhung", "Thùy Linh", "Phương Anh", "Kim Oanh", "Thị Lan", "Bảo Trân", "Diệu Hiền"),
    *("Thị Tuyết", "Quỳnh Như", "Hải Yến", "Thị Hường", "Mỹ Duyên", "Khánh Vy"),
)
MEN = (
    *("Quốc Bảo", "Hoàng Dũng", "Đức Thịnh", "Văn Hùng", "Minh Tuấn", "Thanh Tùng", "Gia Huy"),
    *("Anh Khoa", "Văn Nam", "Đình Phúc", "Trọng Nghĩa", "Xuân Trường", "Hữu Lộc", "Việt Anh"),
    *("Công Minh", "Ngọc Sơn", "Văn Đạt", "Tiến Dũng", "Quang Vinh", "Nhật Minh"),
)
COMPANIES = (
    *("Công ty TNHH Minh Phát", "Công ty CP Dược An Khang", "Cửa hàng Thanh Tâm"),
    *("Hộ kinh doanh Sáu Hương", "Nhà thuốc Phúc Đức", "Công ty TNHH Thực phẩm Sao Việt"),
    *("Siêu thị mini Hòa Bình", "Công ty CP Thương mại Đại Lộc", "Spa Hoa Sen"),
    *("Công ty TNHH MTV Xuất nhập khẩu và Thương mại Tổng hợp Nam Thành Phát",),
)
AREAS = (
    *("Cầu Giấy, Hà Nội", "Hoàn Kiếm, Hà Nội", "Thanh Xuân, Hà Nội", "Hải Châu, Đà Nẵng"),
    *("Quận 1, TP. Hồ Chí Minh", "Quận 3, TP. Hồ Chí Minh", "Quận 7, TP. Hồ Chí Minh"),
    *("Thủ Đức, TP. Hồ Chí Minh", "Ninh Kiều, Cần Thơ", "Biên Hòa, Đồng Nai"),
    *("Vinh, Nghệ An", "Ngô Quyền, Hải Phòng", "Huế, Thừa Thiên Huế", "Nha Trang, Khánh Hòa"),
    *("Đà Lạt, Lâm Đồng", "Buôn Ma Thuột, Đắk Lắk", "Thủ Dầu Một, Bình Dương"),
    *("Mỹ Tho, Tiền Giang", "Rạch Giá, Kiên Giang", "Hạ Long, Quảng Ninh"),
)
STREETS = ("Lê Lợi", "Trần Hưng Đạo", "Nguyễn Huệ", "Hai Bà Trưng", "Quang Trung", "Lý Thường Kiệt")
MOBILE = ("090", "091", "093", "096", "097", "098", "032", "035", "038", "070", "079", "081")

# (group path, name, price in dong, interval in days, fewest and most contacts)
GOODS = (
    (("Thực phẩm chức năng", "Xương khớp"), "Canxi nano MK7 hộp 60 viên", 385_000, 30, 1, 3),
    (("Thực phẩm chức năng", "Xương khớp"), "Glucosamine 1500 lọ 90 viên", 520_000, 45, 1, 3),
    (("Thực phẩm chức năng", "Xương khớp"), "Sụn vi cá mập lọ 60 viên", 640_000, 30, 1, 2),
    (("Thực phẩm chức năng", "Tiêu hóa"), "Men vi sinh hộp 30 gói", 210_000, 15, 1, 3),
    (("Thực phẩm chức năng", "Tiêu hóa"), "Chất xơ hòa tan hộp 20 gói", 165_000, 10, 1, 2),
    (("Thực phẩm chức năng", "Tiêu hóa"), "Nghệ mật ong viên lọ 200 g", 145_000, 21, 1, 2),
    (("Thực phẩm chức năng", "Tiểu đường"), "Trà dây thìa canh hộp 40 túi", 120_000, 20, 2, 4),
    (("Thực phẩm chức năng", "Tiểu đường"), "Viên ổn định đường huyết", 450_000, 30, 2, 5),
    (
        ("Thực phẩm chức năng", "Giảm cân"),
        "Trà giảm cân thảo mộc liệu trình 21 ngày",
        690_000,
        21,
        2,
        5,
    ),
    (("Thực phẩm chức năng", "Giảm cân"), "Bột ngũ cốc giảm cân 500 g", 260_000, 14, 1, 3),
    (("Thực phẩm chức năng", "Tim mạch"), "Dầu cá Omega-3 lọ 100 viên", 480_000, 50, 1, 2),
    (("Thực phẩm chức năng", "Tim mạch"), "Coenzyme Q10 lọ 30 viên", 560_000, 30, 1, 2),
    (("Sữa", "Người lớn"), "Sữa bột cho người tiểu đường 800 g", 620_000, 18, 1, 3),
    (("Sữa", "Người lớn"), "Sữa tăng cường canxi 900 g", 410_000, 20, 1, 2),
    (("Sữa", "Trẻ em"), "Sữa công thức số 1 900 g", 545_000, 12, 1, 4),
    (("Sữa", "Trẻ em"), "Sữa công thức số 2 900 g", 525_000, 14, 1, 4),
    (("Sữa", "Trẻ em"), "Sữa chua sấy khô túi 60 g", 68_000, 7, None, None),
    (("Chăm sóc da", "Làm sạch"), "Sữa rửa mặt dịu nhẹ 150 ml", 189_000, 45, 1, 1),
    (("Chăm sóc da", "Làm sạch"), "Nước tẩy trang 400 ml", 215_000, 60, 1, 1),
    (("Chăm sóc da", "Dưỡng da"), "Serum vitamin C 30 ml", 350_000, 40, 1, 2),
    (("Chăm sóc da", "Dưỡng da"), "Kem chống nắng SPF50 50 ml", 285_000, 40, 1, 2),
    (("Chăm sóc da", "Dưỡng da"), "Collagen nước hộp 10 chai", 780_000, 10, 1, 3),
    (("Gia dụng", "Lọc nước"), "Lõi lọc nước số 1", 150_000, 90, 1, 2),
    (("Gia dụng", "Lọc nước"), "Lõi lọc RO", 650_000, 365, 1, 2),
    (("Gia dụng", "Bếp"), "Nước rửa chén thiên nhiên 3,8 l", 175_000, 30, None, None),
    (("Gia dụng", "Bếp"), "Bộ dao inox 5 món", 420_000, 0, None, None),
    (("Gia dụng", "Bếp"), "Túi quà tặng", 15_000, 0, None, None),
)

SAID = (
    ("satisfied", "Khách dùng thấy hợp, khen giao nhanh. Hẹn gọi lại khi gần hết. #cskh"),
    ("satisfied", "Khách muốn hỏi thêm gói 3 tháng, đã gửi báo giá qua Zalo. #tuvan"),
    ("neutral", "Khách mới dùng được một tuần, chưa thấy thay đổi rõ."),
    ("neutral", "Đã nhắc cách dùng sau ăn, khách sẽ dùng đều hơn. #tuvan"),
    ("dissatisfied", "Khách hơi đầy bụng, đã tư vấn giảm liều và báo bộ phận kỹ thuật."),
    ("dissatisfied", "Hộp bị móp khi giao, khách chưa hài lòng. Cần đổi hàng. #doihang"),
    ("no_answer", "Gọi hai lần không nghe máy, đã nhắn Zalo."),
    ("call_back", "Khách đang bận họp, xin gọi lại sau. #tele"),
)

# (e-mail name, name, role)
PEOPLE = (
    ("admin", "Đỗ Quang Huy", "administrator"),
    ("quanly1", "Trần Mai", "manager"),
    ("quanly2", "Hồ Thanh Bình", "manager"),
    ("linh", "Nguyễn Thùy Linh", "care_agent"),
    ("nam", "Phạm Văn Nam", "care_agent"),
    ("huong", "Bùi Thị Hường", "care_agent"),
    ("tuan", "Lê Minh Tuấn", "care_agent"),
    ("vy", "Võ Khánh Vy", "care_agent"),
)
